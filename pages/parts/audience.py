"""A duel before an audience: it shows hands, whoever presents presses the key. One rater for all of them."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from optimizer.domain import Ballot, DuelId, Outcome, PromptId, Rater, RaterId, Study
from optimizer.errors import NothingToAsk, PromptDuelError
from pages.parts import answers, frame, keyguard, labels, output_text
from pages.parts.access import Visit

NAME = "Audience"
SAID = {
    Outcome.FIRST: "A is better",
    Outcome.SECOND: "B is better",
    Outcome.BOTH_GOOD: "both are good",
    Outcome.BOTH_BAD: "both are bad",
    Outcome.SKIP: "skipped",
}
REVEALED = 4  # newest votes of the audience


@dataclass(frozen=True, slots=True)
class Told:
    """A vote of the audience with the names behind A and B."""

    first: str
    second: str
    said: str


def rater(visit: Visit, study: Study) -> Rater:
    """The audience as a rater, stored when it is first asked."""
    number = hashlib.sha256(f"{study.id}/audience".encode()).hexdigest()[:16]
    return visit.services.workshop.join(study.id, Rater(RaterId(number), study.id, NAME))


def draw(visit: Visit, study: Study) -> None:
    """The pair and the keys; after a vote the next pair."""
    crowd = rater(visit, study)
    try:
        shown = visit.services.workshop.next_duel(study.id, crowd.id)
    except NothingToAsk as missing:
        st.info(labels.plain(str(missing)), icon=":material/hourglass_empty:")
        return
    with st.container(key="slide_input", border=True, gap="xsmall"):
        value = next((text for text in shown.variables.values() if text.strip()), "")
        output_text.draw(value, output_text.input_mode(value))
    mode = output_text.fitting_mode((shown.first.text, shown.second.text))
    for column, side, output in zip(
        st.columns(2, gap="medium"), ("first", "second"), (shown.first, shown.second), strict=True
    ):
        with column, st.container(key=f"slide_{side}", border=True):
            st.markdown(f"### {'A' if side == 'first' else 'B'}")
            output_text.draw(output.text, mode)
    answers.draw(
        "audience",
        lambda outcome: _vote(visit, shown.duel.id, crowd.id, outcome),
        shown.duel.id,
        row="audience_answers",
    )
    keyguard.drawn(shown.duel.id)
    st.caption(
        f"Hands up; the presenter presses the key. Votes so far: {len(votes(visit, study))}. "
        f"They count in the study as those of one rater, “{NAME}”.",
        text_alignment="center",
    )


def votes(visit: Visit, study: Study) -> list[Ballot]:
    """The audience's votes that stand, newest first."""
    known = visit.services.store.ballots(study.id, rater(visit, study).id)
    return [ballot for ballot in known if ballot.vote.withdrawn_at is None]


def told(visit: Visit, study: Study) -> list[Told]:
    """The newest votes with the names that were hidden."""
    names: dict[PromptId, str] = {p.id: p.name for p in visit.services.store.prompts(study.id)}
    return [
        Told(names[one.duel.first_prompt], names[one.duel.second_prompt], SAID[one.vote.outcome])
        for one in votes(visit, study)[:REVEALED]
    ]


def _vote(visit: Visit, duel: DuelId, crowd: RaterId, outcome: Outcome) -> None:
    seen_ms = keyguard.viewed_ms(duel, visit.services.config.min_view_ms)
    if seen_ms is None:
        return
    try:
        visit.services.workshop.record_vote(duel, crowd, outcome, None, seen_ms)
    except PromptDuelError as error:
        frame.keep_message(labels.plain(str(error)))
        return
    frame.keep_message(f"The audience says: {SAID[outcome]}.")
