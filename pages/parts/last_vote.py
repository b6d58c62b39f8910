"""After the vote: why it was so, what each prompt was, and how the two differ."""

from collections.abc import Mapping

import streamlit as st

from optimizer.domain import (
    REASONS_AGAINST,
    REASONS_FOR,
    Outcome,
    Output,
    Prompt,
    Rater,
    Study,
    Vote,
    VoteId,
)
from optimizer.errors import NotFound, PromptDuelError
from optimizer.generation.costs import money_text
from optimizer.workshop import ShownDuel
from pages.parts import cards, critic, diff, frame, labels, output_text
from pages.parts.access import Visit

SPOKEN = {
    Outcome.FIRST: "A was better",
    Outcome.SECOND: "B was better",
    Outcome.BOTH_GOOD: "both were good",
    Outcome.BOTH_BAD: "both were bad",
    Outcome.SKIP: "skipped",
}
SHORT = {
    Outcome.FIRST: "A",
    Outcome.SECOND: "B",
    Outcome.BOTH_GOOD: "both good",
    Outcome.BOTH_BAD: "both bad",
    Outcome.SKIP: "skipped",
}
ASKED = {
    Outcome.FIRST: "What made A better? (optional)",
    Outcome.SECOND: "What made B better? (optional)",
    Outcome.BOTH_GOOD: "What do both do well? (optional)",
    Outcome.BOTH_BAD: "What is wrong with both? (optional)",
    Outcome.SKIP: "Why can this not be judged? (optional)",
}


def newest(visit: Visit, study: Study, rater: Rater) -> Vote | None:
    """The vote on this study that was cast last in this browser tab, while it stands."""
    if "last_vote" not in st.session_state:
        return None
    try:
        vote = visit.services.store.vote(VoteId(st.session_state["last_vote"]))
    except NotFound:  # the database was put back to an earlier one
        return None
    own = vote.study == study.id and vote.rater == rater.id
    return vote if own and vote.withdrawn_at is None else None


def tells(visit: Visit, study: Study) -> bool:
    """Is there anything to see of a vote once it is cast?"""
    return _asks_why(visit) or study.settings.reveal


def draw(visit: Visit, study: Study, rater: Rater, vote: Vote | None) -> None:
    """The vote just cast, beside the pair that followed it."""
    if vote is None:
        st.caption("No vote since this page was opened. Your next one is shown here.")
        return
    st.markdown(f"**Your last vote: {spoken(vote)}**")
    if _asks_why(visit):
        _reasons(visit, rater, vote)
    if study.settings.reveal:
        _reveal(visit, visit.services.workshop.show(visit.services.store.duel(vote.duel)))
    if visit.session is None:  # a critic costs calls, which are the host's to spend
        critic.draw(visit, vote.duel)


def review(visit: Visit, study: Study, rater: Rater, vote: Vote) -> None:
    """The same as a screen of its own, for raters who say why."""
    shown = visit.services.workshop.show(visit.services.store.duel(vote.duel))
    st.subheader(f"You said: {spoken(vote)}")
    if _asks_why(visit):
        _reasons(visit, rater, vote)
    if study.settings.reveal:
        _reveal(visit, shown)
    texts = (shown.first.text, shown.second.text)
    cards.pair(*texts, output_text.fitting_mode(texts))


def spoken(vote: Vote, words: Mapping[Outcome, str] = SPOKEN) -> str:
    """The vote in words, or in the fewest: 'A, slightly'."""
    return f"{words[vote.outcome]}, {vote.grade}" if vote.grade else words[vote.outcome]


def _asks_why(visit: Visit) -> bool:
    """Are reasons wanted? In a session the host says so."""
    return visit.session is None or visit.session.reasons


def _reasons(visit: Visit, rater: Rater, vote: Vote) -> None:
    names = {side: f"{side}_reasons_{vote.id}" for side in ("first", "second")}
    comment = f"comment_{vote.id}"

    def save() -> None:
        try:
            visit.services.workshop.note(
                vote.id,
                rater.id,
                tuple(st.session_state.get(names["first"]) or ()),
                tuple(st.session_state.get(names["second"]) or ()),
                st.session_state.get(comment) or "",
            )
        except PromptDuelError as error:
            frame.keep_message(labels.plain(str(error)))

    # The widgets own their values from here on: a changed default would make new widgets of them.
    st.session_state.setdefault(names["first"], list(vote.first_reasons))
    st.session_state.setdefault(names["second"], list(vote.second_reasons))
    st.session_state.setdefault(comment, vote.comment)
    chips = [*REASONS_FOR, *REASONS_AGAINST]
    for column, side, label in zip(st.columns(2, gap="medium"), names, ("A", "B"), strict=True):
        column.pills(
            f"{label} was", chips, selection_mode="multi", key=names[side], on_change=save, wrap=True
        )
    st.text_area(ASKED[vote.outcome], key=comment, on_change=save, height=80, max_chars=5000)


def _reveal(visit: Visit, shown: ShownDuel) -> None:
    prompts = {prompt.id: prompt for prompt in visit.services.store.prompts(shown.duel.study)}
    first, second = prompts[shown.duel.first_prompt], prompts[shown.duel.second_prompt]
    left, right = st.columns(2, gap="medium")
    for column, side, prompt, output in ((left, "A", first, shown.first), (right, "B", second, shown.second)):
        column.markdown(f"{side} was **{labels.plain(prompt.name)}**")
        column.caption(_facts(prompt, output))
    with st.expander(
        "The two prompts compared", key=f"prompts_of_{shown.duel.id}", on_change="rerun"
    ) as opened:
        if opened.open:
            diff.draw(first.text, second.text, first.name, second.name)


def _facts(prompt: Prompt, output: Output) -> str:
    parts = [f"{len(output.text.split()):,} words"]
    if output.latency_ms is not None:
        parts.append(f"{output.latency_ms / 1000:.1f} s")
    if "total_tokens" in output.usage:
        parts.append(f"{output.usage['total_tokens']:,.0f} tokens")
    if "cost" in output.usage:
        parts.append(labels.plain(money_text(output.usage["cost"])))
    if output.model:
        parts.append(labels.plain(output.model))
    if prompt.retired_at is not None:
        parts.append("retired since")
    return " · ".join(parts)
