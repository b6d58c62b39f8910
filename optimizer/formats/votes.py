"""Every vote as a record, with what was on which side: CSV for spreadsheets, JSONL for programs."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from optimizer.domain import Ballot, Input, InputId, Prompt, PromptId, Rater
from optimizer.formats.base import Extract
from optimizer.formats.writing import Cell, csv_lines, json_lines

# Of ``Vote.verdict``, how a judge came to its vote; "rubric" is the version. The JSONL has all of it.
OF_A_JUDGE = ("model", "mode", "repeats", "temperature", "rubric", "mark", "certainty")
COLUMNS = (
    "vote_id",
    "voted_at",
    "rater",
    "rater_id",
    "rater_kind",
    "first_prompt",
    "second_prompt",
    "outcome",
    "grade",
    "winner",
    "counts",
    "input_id",
    "tags",
    "first_reasons",
    "second_reasons",
    "comment",
    "view_ms",
    "selector",
    "reason",
    "audit",
    "replay",
    "repeats",
    "duel_id",
    "asked_at",
    "first_prompt_id",
    "second_prompt_id",
    "first_output_id",
    "second_output_id",
    "withdrawn_at",
    *(f"judge_{name}" for name in OF_A_JUDGE),
)


class VotesCsv:
    """One row per vote, withdrawn ones and replays too; ``counts`` says which the standings use."""

    name: ClassVar[str] = "votes-csv"
    label: ClassVar[str] = "Votes (CSV)"
    suffix: ClassVar[str] = "csv"
    mime: ClassVar[str] = "text/csv"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Holds every vote, but no texts of prompts, inputs and outputs. Texts that a spreadsheet would run "
        "as a formula have an apostrophe before them."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        prompts = {prompt.id: prompt for prompt in extract.contents.prompts}
        inputs = {row.id: row for row in extract.contents.inputs}
        return csv_lines(COLUMNS, (_row(ballot, extract, prompts, inputs) for ballot in extract.ballots))


class VotesJsonl:
    """The same as one JSON object per line, schema version 1; ``verdict`` is how a judge came to its vote."""

    name: ClassVar[str] = "votes-jsonl"
    label: ClassVar[str] = "Votes (JSONL)"
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = "Holds every vote, but no texts of prompts, inputs and outputs."

    def write(self, extract: Extract) -> Iterator[str]:
        prompts = {prompt.id: prompt for prompt in extract.contents.prompts}
        inputs = {row.id: row for row in extract.contents.inputs}
        return json_lines(_record(ballot, extract, prompts, inputs) for ballot in extract.ballots)


def counts(ballot: Ballot, rater: Rater) -> bool:
    """Do the standings use this vote? Not when it is withdrawn, a replay, or by a rater set aside."""
    return ballot.vote.withdrawn_at is None and not ballot.duel.replay and rater.set_aside_at is None


def _row(
    ballot: Ballot, extract: Extract, prompts: Mapping[PromptId, Prompt], inputs: Mapping[InputId, Input]
) -> list[Cell]:
    vote, duel, rater = ballot.vote, ballot.duel, extract.raters[ballot.vote.rater]
    return [
        vote.id,
        vote.at.isoformat(),
        rater.name,
        rater.id,
        rater.kind,
        prompts[duel.first_prompt].name,
        prompts[duel.second_prompt].name,
        vote.outcome,
        vote.grade or "",
        prompts[ballot.winner].name if ballot.winner else "",
        counts(ballot, rater),
        duel.input,
        ";".join(inputs[duel.input].tags),
        ";".join(vote.first_reasons),
        ";".join(vote.second_reasons),
        vote.comment,
        vote.view_ms,
        duel.selector,
        duel.reason,
        duel.audit,
        duel.replay,
        duel.repeats,
        duel.id,
        duel.asked_at.isoformat(),
        duel.first_prompt,
        duel.second_prompt,
        duel.first,
        duel.second,
        vote.withdrawn_at.isoformat() if vote.withdrawn_at else "",
        *(_cell(vote.verdict.get(name)) for name in OF_A_JUDGE),
    ]


def _cell(value: object) -> Cell:
    return value if isinstance(value, str | int | float) else ""


def _record(
    ballot: Ballot, extract: Extract, prompts: Mapping[PromptId, Prompt], inputs: Mapping[InputId, Input]
) -> dict[str, object]:
    vote, duel, rater = ballot.vote, ballot.duel, extract.raters[ballot.vote.rater]
    return {
        "schema_version": 1,
        "vote_id": vote.id,
        "duel_id": duel.id,
        "study_id": duel.study,
        "input_id": duel.input,
        "tags": list(inputs[duel.input].tags),
        "first": {
            "prompt_id": duel.first_prompt,
            "prompt": prompts[duel.first_prompt].name,
            "output_id": duel.first,
        },
        "second": {
            "prompt_id": duel.second_prompt,
            "prompt": prompts[duel.second_prompt].name,
            "output_id": duel.second,
        },
        "outcome": vote.outcome,
        "grade": vote.grade,
        "reasons": {"first": list(vote.first_reasons), "second": list(vote.second_reasons)},
        "comment": vote.comment,
        "rater": {"id": rater.id, "name": rater.name, "kind": rater.kind},
        "verdict": dict(vote.verdict) or None,
        "counts": counts(ballot, rater),
        "asked_at": duel.asked_at.isoformat(),
        "voted_at": vote.at.isoformat(),
        "view_ms": vote.view_ms,
        "selector": {
            "name": duel.selector,
            "reason": duel.reason,
            "audit": duel.audit,
            "replay": duel.replay,
            "repeats": duel.repeats,
        },
        "withdrawn_at": vote.withdrawn_at.isoformat() if vote.withdrawn_at else None,
    }
