"""What a judge's vote carries beside its outcome: written into ``Vote.verdict``, and read from there."""

from collections.abc import Mapping
from dataclasses import dataclass

from optimizer.domain import Connection, Outcome, Rubric, Vote
from optimizer.judges import JUDGES, JudgeSettings
from optimizer.judges.base import Mark, Verdict


@dataclass(frozen=True, slots=True)
class Ruling:
    """The judge, the rubric and the answers behind a vote. ``said`` as in ``Verdict``."""

    connection: str
    model: str
    mode: str
    rubric: int  # version
    mark: Mark | None
    margin: float
    certainty: float
    p_first: float | None
    said: tuple[Outcome, ...]
    criteria: tuple[tuple[str, Outcome], ...] = ()  # each in its own words, and which output is better by it

    @property
    def both_orders(self) -> bool:
        """Are every other two answers to the same duel with its sides swapped?"""
        return self.mode in JUDGES and JUDGES[self.mode].both_orders


def written(
    verdict: Verdict,
    rubric: Rubric,
    criteria: tuple[str, ...],
    connection: Connection,
    settings: JudgeSettings,
) -> dict[str, object]:
    """As it is stored; criteria by their words, for rubrics change."""
    return {
        "connection": connection.name,
        "model": verdict.model or connection.model,
        "mode": settings.mode,
        "repeats": settings.repeats,
        "temperature": connection.temperature if settings.temperature is None else settings.temperature,
        "rubric": rubric.version,
        "rubric_id": rubric.id,
        "mark": verdict.mark.value if verdict.mark else None,
        "margin": verdict.margin,
        "certainty": verdict.certainty,
        "p_first": verdict.p_first,
        "said": [outcome.value for outcome in verdict.said],
        "criteria": [
            {"criterion": criterion, "better": better.value}
            for criterion, better in zip(criteria, verdict.by_criterion, strict=True)
            if better is not None
        ],
        "calls": verdict.calls,
        "tokens": verdict.tokens,
    }


def ruling_of(vote: Vote) -> Ruling | None:
    """As it was written; None for votes that no judge of ours cast."""
    known = vote.verdict
    if "mode" not in known:
        return None
    mark, p_first = known.get("mark"), known.get("p_first")
    said = known.get("said")
    return Ruling(
        str(known.get("connection", "")),
        str(known.get("model", "")),
        str(known["mode"]),
        int(_number(known, "rubric")),
        Mark(mark) if isinstance(mark, str) else None,
        _number(known, "margin"),
        _number(known, "certainty"),
        float(p_first) if isinstance(p_first, int | float) else None,
        tuple(Outcome(word) for word in said) if isinstance(said, list) else (),
        _criteria(known.get("criteria")),
    )


def _criteria(rows: object) -> tuple[tuple[str, Outcome], ...]:
    found = rows if isinstance(rows, list) else []
    return tuple((str(row["criterion"]), Outcome(row["better"])) for row in found)


def _number(known: Mapping[str, object], name: str) -> float:
    value = known.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
