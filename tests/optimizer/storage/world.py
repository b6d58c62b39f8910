"""A small study to try stores on: three prompts, two inputs, two people and a judge."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from optimizer.domain import (
    Batch,
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

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEOPLE = (RaterKind.HUMAN, RaterKind.HUMAN, RaterKind.JUDGE)
_numbers = count()


def study_of(name: str = "s") -> Study:
    return Study(StudyId(name), f"Study {name}", task="Which is best?", seed=7, created_at=NOW)


def world(name: str = "s", prompts: int = 3, inputs: int = 2) -> Batch:
    """A study with an output of every prompt on every input; nothing is asked. Its name begins all ids."""
    study = study_of(name)
    return Batch(
        studies=[study],
        prompts=[
            Prompt(PromptId(f"{name}-p{p}"), study.id, f"Prompt {p}", "Do {{it}}", created_at=NOW)
            for p in range(prompts)
        ],
        inputs=[
            Input(InputId(f"{name}-x{x}"), study.id, {"it": f"thing {x}"}, ("tag",), created_at=NOW)
            for x in range(inputs)
        ],
        outputs=[
            Output(
                OutputId(f"{name}-o{p}{x}"),
                study.id,
                PromptId(f"{name}-p{p}"),
                InputId(f"{name}-x{x}"),
                f"text {p} {x}",
                created_at=NOW,
            )
            for p in range(prompts)
            for x in range(inputs)
        ],
        raters=[
            Rater(RaterId(f"{name}-r{r}"), study.id, f"Rater {r}", kind, created_at=NOW)
            for r, kind in enumerate(PEOPLE)
        ],
    )


def duel_of(
    first: int = 0,
    second: int = 1,
    input: int = 0,
    rater: int = 0,
    name: str = "s",
    id: str = "",
    **kept: object,
) -> Duel:
    """An open duel of prompts by their numbers, asked now, for an hour."""
    duel = Duel(
        id=DuelId(id or f"d{next(_numbers)}"),
        study=StudyId(name),
        input=InputId(f"{name}-x{input}"),
        first=OutputId(f"{name}-o{first}{input}"),
        second=OutputId(f"{name}-o{second}{input}"),
        first_prompt=PromptId(f"{name}-p{first}"),
        second_prompt=PromptId(f"{name}-p{second}"),
        rater=RaterId(f"{name}-r{rater}"),
        selector="random",
        reason="nothing is known yet",
        audit=False,
        asked_at=NOW,
        expires_at=NOW + HOUR,
    )
    return replace(duel, **kept)  # type: ignore[arg-type]


def vote_on(duel: Duel, outcome: Outcome = Outcome.FIRST, grade: Grade | None = None, **kept: object) -> Vote:
    """A vote by the rater who was asked, a minute later."""
    at = NOW + timedelta(minutes=1)
    vote = Vote(VoteId(f"v{next(_numbers)}"), duel.study, duel.id, duel.rater, outcome, at, grade)
    return replace(vote, **kept)  # type: ignore[arg-type]
