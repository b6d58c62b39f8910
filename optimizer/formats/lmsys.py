"""Votes as arena battles, in the fields of LMSYS's clean battle data, so that any arena notebook runs.

``model_a`` and ``model_b`` are names of prompts. Both bad is spelled "tie (bothbad)" as in the data that
most notebooks were written for; newer tools know it, too.
"""

from collections.abc import Iterator
from typing import ClassVar

from optimizer.domain import Outcome
from optimizer.formats.base import Extract
from optimizer.formats.shared_input import answer, opening, shown
from optimizer.formats.writing import json_lines

WINNER = {
    Outcome.FIRST: "model_a",
    Outcome.SECOND: "model_b",
    Outcome.BOTH_GOOD: "tie",
    Outcome.BOTH_BAD: "tie (bothbad)",
}


class LmsysBattles:
    """One line per vote."""

    name: ClassVar[str] = "lmsys-battles"
    label: ClassVar[str] = "LMSYS / LMArena battles (JSONL)"
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Has no place for how clearly a side won, reasons and comments, and why a pair was asked; the "
        "user's turn is the input that both sides share. Leaves out skips, replays and withdrawn votes."
    )

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
