"""Arena battles: votes in the fields of LMSYS's (FastChat's, LMArena's) data, in and out.

Written are the fields of the clean battle data, so that any arena notebook runs. ``model_a`` and ``model_b``
are names of prompts. Both bad is spelled "tie (bothbad)" as in the data that most notebooks were written
for; read are both spellings, the raw vote log, and the CSV of the Kaggle competition.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from optimizer.domain import Outcome
from optimizer.errors import BadInput
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.history import UNKNOWN_QUESTION, Battle, History, Side, field, moment, spoken
from optimizer.formats.shared_input import answer, opening, shown
from optimizer.formats.tables import read_records
from optimizer.formats.writing import json_lines

WINNER = {
    Outcome.FIRST: "model_a",
    Outcome.SECOND: "model_b",
    Outcome.BOTH_GOOD: "tie",
    Outcome.BOTH_BAD: "tie (bothbad)",
}

OUTCOME = {winner: outcome for outcome, winner in WINNER.items()} | {
    "both_bad": Outcome.BOTH_BAD,
    "bothbad": Outcome.BOTH_BAD,
}
VOTE_TYPES = {
    "leftvote": Outcome.FIRST,
    "rightvote": Outcome.SECOND,
    "tievote": Outcome.BOTH_GOOD,
    "bothbad_vote": Outcome.BOTH_BAD,
}


class LmsysBattles:
    """One line per vote."""

    name: ClassVar[str] = "lmsys-battles"
    label: ClassVar[str] = "LMSYS / LMArena battles (JSONL)"
    about: ClassVar[str] = (
        "Votes of an arena: 'model_a', 'model_b' and 'winner', with the conversations if there are any. Also "
        "the raw vote log, and the CSV with 'winner_model_a', 'winner_model_b', 'winner_tie'."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("jsonl", "json", "csv")
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Has no place for how clearly a side won, reasons and comments, and why a pair was asked; the "
        "user's turn is the input that both sides share. Leaves out skips, replays and withdrawn votes."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """A study whose prompts are the models; their texts are not in such files."""
        faults = Faults()
        history = History(contents, choices, now, faults)
        tasks: set[str] = set()
        head: list[dict[str, str]] = []
        for where, record in read_records(upload, faults):
            if len(head) < HEAD:
                told = ("model_a", "model_b", "winner")
                head.append({name: str(record[name]) for name in told if name in record})
            try:
                battle = _battle(where, record)
                tasks.add(spoken(record.get("conversation_a", []), "system"))
            except BadInput as error:
                faults.add(where, str(error))
                continue
            if battle is None:
                history.left_out["not a vote but another event of the log"] += 1
            else:
                history.add(battle)
        return history.preview(head, tasks.pop() if len(tasks) == 1 else "")

    def write(self, extract: Extract) -> Iterator[str]:
        study = extract.contents.study
        return json_lines(
            {
                "question_id": one.row.id,
                "model_a": one.first_prompt.name,
                "model_b": one.second_prompt.name,
                "winner": WINNER[one.ballot.vote.outcome],
                "judge": one.ballot.vote.rater,
                "conversation_a": [*opening(study, one.row), *answer(one.first)],
                "conversation_b": [*opening(study, one.row), *answer(one.second)],
                "turn": 1,
                "anony": True,
                "tstamp": one.ballot.vote.at.timestamp(),
            }
            for one in shown(extract)
        )


def _battle(where: str, record: Mapping[str, Any]) -> Battle | None:
    """The vote of a record of any of the three kinds; None for other events of a raw log."""
    if "type" in record and "models" in record:
        return _raw_vote(where, record)
    if "winner" in record:
        winner = field(record, "winner").strip().lower()
        if winner not in OUTCOME:
            raise BadInput(f"has the winner '{winner}'. Known are {', '.join(OUTCOME)}")
        outcome = OUTCOME[winner]
    else:
        outcome = _kaggle_outcome(record)
    return Battle(
        where,
        Side(field(record, "model_a"), _said(record, "a")),
        Side(field(record, "model_b"), _said(record, "b")),
        outcome,
        _rater(record.get("judge")),
        {"question": _question(record)},
        at=moment(record.get("tstamp")),
        tags=record["language"] if isinstance(record.get("language"), str) else "",
    )


def _raw_vote(where: str, record: Mapping[str, Any]) -> Battle | None:
    outcome = VOTE_TYPES.get(str(record["type"]))
    if outcome is None:
        return None
    models = record["models"]
    if not isinstance(models, list) or len(models) != 2 or not all(isinstance(one, str) for one in models):
        raise BadInput("does not name two models")
    address = hashlib.sha256(str(record.get("ip", "")).encode()).hexdigest()  # nobody's address is kept
    question = {"question": UNKNOWN_QUESTION}
    at = moment(record.get("tstamp"))
    return Battle(where, Side(models[0]), Side(models[1]), outcome, f"voter {address[:8]}", question, at=at)


def _kaggle_outcome(record: Mapping[str, Any]) -> Outcome:
    columns = {
        "winner_model_a": Outcome.FIRST,
        "winner_model_b": Outcome.SECOND,
        "winner_tie": Outcome.BOTH_GOOD,
    }
    marked = [outcome for column, outcome in columns.items() if record.get(column) == "1"]
    if len(marked) != 1:
        raise BadInput("has no 'winner', and not exactly one of winner_model_a, winner_model_b, winner_tie")
    return marked[0]


def _question(record: Mapping[str, Any]) -> str:
    if "conversation_a" in record:
        return spoken(record["conversation_a"], "user") or UNKNOWN_QUESTION
    return _turns(record.get("prompt")) or UNKNOWN_QUESTION


def _said(record: Mapping[str, Any], side: str) -> str:
    if f"conversation_{side}" in record:
        return spoken(record[f"conversation_{side}"], "assistant")
    return _turns(record.get(f"response_{side}"))


def _turns(cell: object) -> str:
    """Turns that are kept as a JSON list in one cell, or the cell itself."""
    if not isinstance(cell, str):
        return ""
    if cell.startswith("["):
        try:
            turns = json.loads(cell)
        except (ValueError, RecursionError):
            return cell
        if isinstance(turns, list):
            return "\n\n".join(turn for turn in turns if isinstance(turn, str))
    return cell


def _rater(judge: object) -> str:
    return judge if isinstance(judge, str) else ""
