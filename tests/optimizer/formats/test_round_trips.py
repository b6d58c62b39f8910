"""Any votes on any texts go out and come back as the same votes, as far as the format can hold them."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.domain import (
    Ballot,
    Batch,
    Duel,
    DuelId,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Study,
    StudyId,
    Vote,
    VoteId,
)
from optimizer.formats import EXPORTERS, IMPORTERS
from optimizer.formats.base import Choices, Contents, Extract, Upload

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMPTY = Contents(Study(StudyId("other"), "Other"))
STUDY = Study(StudyId("study"), "Any study", created_at=NOW)
NAMES = ("Terse", "=Warm", "Größe ☀", 'a, "b" {{c}}')
WINS, TIES, ALL = "wins", "ties", "all"
# What each format can hold: wins alone, ties without their kind, or everything but skips.
HOLDS = {
    ("trl-preference", "preference-pairs"): WINS,
    ("argilla-preference", "preference-pairs"): WINS,
    ("lmsys-battles", "lmsys-battles"): ALL,
    ("alpaca-eval", "alpaca-eval"): TIES,
    ("label-studio", "label-studio"): WINS,
}
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(str.strip)
VOTES = st.lists(
    st.tuples(st.integers(0, 2), st.permutations(range(len(NAMES))), st.sampled_from(list(Outcome))),
    min_size=1,
    max_size=8,
)


def extract_of(texts: Mapping[tuple[int, int], str], votes: list[tuple[int, list[int], Outcome]]) -> Extract:
    """Three questions, four prompts, and these votes on the first two of each order of prompts."""
    prompts = [
        Prompt(PromptId(f"p{i}"), STUDY.id, name, "{{q}}", created_at=NOW) for i, name in enumerate(NAMES)
    ]
    rows = [Input(InputId(f"x{x}"), STUDY.id, {"q": f"Question {x}?"}, created_at=NOW) for x in range(3)]
    outputs = [
        Output(OutputId(f"{i}-{x}"), STUDY.id, prompts[i].id, rows[x].id, text, created_at=NOW)
        for (i, x), text in texts.items()
    ]
    ballots = []
    for n, (x, (i, j, *_), outcome) in enumerate(votes):
        duel = Duel(
            DuelId(f"d{n}"), STUDY.id, rows[x].id, OutputId(f"{i}-{x}"), OutputId(f"{j}-{x}"), prompts[i].id,
            prompts[j].id, RaterId("r"), "auto", "why", False, NOW, NOW + timedelta(1),
        )  # fmt: skip
        ballots.append(Ballot(Vote(VoteId(f"v{n}"), STUDY.id, duel.id, RaterId("r"), outcome, NOW), duel))
    rater = Rater(RaterId("r"), STUDY.id, "Ann", created_at=NOW)
    return Extract(Contents(STUDY, tuple(prompts), tuple(rows), tuple(outputs)), {rater.id: rater}, ballots)


def said(
    prompts: Mapping[PromptId, str], outputs: Mapping[OutputId, str], duel: Duel, outcome: Outcome, holds: str
) -> tuple[object, ...] | None:
    """A vote as far as a format can hold it, whichever side was first; None where it cannot."""
    sides = [
        (prompts[duel.first_prompt], outputs[duel.first]),
        (prompts[duel.second_prompt], outputs[duel.second]),
    ]
    if outcome is Outcome.SKIP or (holds == WINS and outcome not in (Outcome.FIRST, Outcome.SECOND)):
        return None
    if outcome in (Outcome.BOTH_GOOD, Outcome.BOTH_BAD):
        return (outcome if holds == ALL else "tie", *sorted(sides))
    return ("win", *(sides if outcome is Outcome.FIRST else sides[::-1]))


def counted(
    prompts: list[Prompt], outputs: list[Output], votes: list[Vote], duels: list[Duel], holds: str
) -> Counter:
    names, texts = {p.id: p.name for p in prompts}, {o.id: o.text for o in outputs}
    asked = {duel.id: duel for duel in duels}
    found = (said(names, texts, asked[vote.duel], vote.outcome, holds) for vote in votes)
    return Counter(one for one in found if one is not None)


@pytest.mark.parametrize(("formats", "holds"), HOLDS.items(), ids=[out for out, _ in HOLDS])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.fixed_dictionaries({(i, x): TEXT for i in range(len(NAMES)) for x in range(3)}), votes=VOTES)
def test_the_same_votes_come_back(
    formats: tuple[str, str],
    holds: str,
    texts: dict[tuple[int, int], str],
    votes: list[tuple[int, list[int], Outcome]],
) -> None:
    extract = extract_of(texts, votes)
    ballots = list(extract.ballots)
    sent = counted(
        list(extract.contents.prompts),
        list(extract.contents.outputs),
        [ballot.vote for ballot in ballots],
        [ballot.duel for ballot in ballots],
        holds,
    )
    out, back = formats
    data = "".join(str(piece) for piece in EXPORTERS[out].write(extract)).encode()
    if not sent:  # nothing that the format can hold
        return
    preview = IMPORTERS[back].read(Upload(f"f.{EXPORTERS[out].suffix}", data), EMPTY, Choices(), NOW)
    batch: Batch = preview.checked()
    prompts, outputs = list(batch.prompts), list(batch.outputs)
    assert counted(prompts, outputs, list(batch.votes), list(batch.duels), holds) == sent
