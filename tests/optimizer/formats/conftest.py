"""One small study that every format is tried on."""

from datetime import UTC, datetime, timedelta

import pytest

from optimizer.domain import (
    Ballot,
    Duel,
    DuelId,
    Grade,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    RaterKind,
    Study,
    StudyId,
    Vote,
    VoteId,
)
from optimizer.formats.base import Contents, Extract

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STUDY = StudyId("study")


@pytest.fixture
def contents() -> Contents:
    """Two prompts and a retired one; two inputs, one with a key of its own; outputs on both."""
    prompts = (
        Prompt(PromptId("terse"), STUDY, "Terse", "Answer {{question}} in a word.", created_at=NOW),
        Prompt(PromptId("warm"), STUDY, "=Warm", "Be warm. {{question}}", created_at=NOW),
        Prompt(PromptId("old"), STUDY, "Old", "{{question}}", created_at=NOW, retired_at=NOW),
    )
    inputs = (
        Input(InputId("in1"), STUDY, {"question": "Why?"}, ("short", "de"), created_at=NOW),
        Input(InputId("in2"), STUDY, {"key": "q2", "question": 'How, "then"?\nTell.'}, created_at=NOW),
    )
    outputs = (
        Output(OutputId("o1"), STUDY, PromptId("terse"), InputId("in1"), "Because.", created_at=NOW),
        Output(OutputId("o2"), STUDY, PromptId("warm"), InputId("in1"), "Dear you, because.", created_at=NOW),
        Output(OutputId("o3"), STUDY, PromptId("terse"), InputId("in2"), "=SUM(A1)", created_at=NOW),
        Output(OutputId("o4"), STUDY, PromptId("warm"), InputId("in2"), "Straße – ☀", created_at=NOW),
    )
    study = Study(STUDY, "Small study", task="Answer the question.", created_at=NOW)
    return Contents(study, prompts, inputs, outputs)


@pytest.fixture
def extract(contents: Contents) -> Extract:
    """Six votes: first clearly, second, both good, both bad, a skip, and a withdrawn one."""
    said = (
        ("v1", "o1", "o2", Outcome.FIRST, Grade.CLEARLY),
        ("v2", "o3", "o4", Outcome.SECOND, None),
        ("v3", "o2", "o1", Outcome.BOTH_GOOD, None),
        ("v4", "o1", "o2", Outcome.BOTH_BAD, None),
        ("v5", "o1", "o2", Outcome.SKIP, None),
        ("v6", "o2", "o1", Outcome.FIRST, None),
    )
    of = {output.id: output for output in contents.outputs}
    ballots = []
    for number, (vote, first, second, outcome, grade) in enumerate(said):
        one, other = of[OutputId(first)], of[OutputId(second)]
        asked = NOW + timedelta(minutes=number)
        duel = Duel(
            DuelId(f"d{number + 1}"),
            STUDY,
            one.input,
            one.id,
            other.id,
            one.prompt,
            other.prompt,
            RaterId("r1"),
            "auto",
            "close race",
            number == 1,
            asked,
            asked + timedelta(days=1),
        )
        ballots.append(
            Ballot(
                Vote(
                    VoteId(vote),
                    STUDY,
                    duel.id,
                    RaterId("r1"),
                    outcome,
                    asked + timedelta(seconds=30),
                    grade,
                    4210 if number == 0 else None,
                    ("complete",) if number == 0 else (),
                    ("superficial", "too long") if number == 0 else (),
                    '-- fine, "really"' if number == 0 else "",
                    asked + timedelta(minutes=1) if number == 5 else None,
                ),
                duel,
            )
        )
    rater = Rater(RaterId("r1"), STUDY, "Ann", RaterKind.HUMAN, NOW)
    return Extract(contents, {rater.id: rater}, ballots, find_winner=lambda: contents.prompts[0])
