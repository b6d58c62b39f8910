"""Training data for the TRL library: preference pairs (DPO and others) and single answers (KTO).

Fields as in huggingface/trl, dataset_formats: conversational ``prompt``, ``chosen``, ``rejected``, or
``prompt``, ``completion``, ``label``. The fields after those are ours; TRL ignores them.
"""

from collections.abc import Iterator
from typing import ClassVar

from optimizer.domain import Outcome, Output, Prompt
from optimizer.formats.base import Extract
from optimizer.formats.shared_input import Shown, answer, opening, shown
from optimizer.formats.writing import json_lines


class TrlPreference:
    """One line per vote for a side."""

    name: ClassVar[str] = "trl-preference"
    label: ClassVar[str] = "TRL / Hugging Face preference pairs (JSONL)"
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "'prompt' is the input that both sides share, not either side's prompt, whose names are in "
        "'chosen_prompt' and 'rejected_prompt'. Leaves out both good, both bad and skips."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        study = extract.contents.study
        return json_lines(
            {
                "prompt": opening(study, one.row),
                "chosen": answer(chosen),
                "rejected": answer(rejected),
                "chosen_prompt": chosen_prompt.name,
                "rejected_prompt": rejected_prompt.name,
                "grade": one.ballot.vote.grade,
                "input_id": one.row.id,
                "vote_id": one.ballot.vote.id,
            }
            for one in shown(extract)
            for chosen, chosen_prompt, rejected, rejected_prompt in sides(one)
        )


class TrlUnpaired:
    """Two lines per vote: each answer with a label, good or not."""

    name: ClassVar[str] = "trl-unpaired"
    label: ClassVar[str] = "TRL / Hugging Face unpaired preference, for KTO (JSONL)"
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Says of each answer whether it was preferred or called good, not which other answer it met. Leaves "
        "out skips."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        study = extract.contents.study
        return json_lines(
            {
                "prompt": opening(study, one.row),
                "completion": answer(output),
                "label": one.ballot.vote.outcome in (side, Outcome.BOTH_GOOD),
                "completion_prompt": prompt.name,
                "input_id": one.row.id,
                "vote_id": one.ballot.vote.id,
            }
            for one in shown(extract)
            for side, output, prompt in (
                (Outcome.FIRST, one.first, one.first_prompt),
                (Outcome.SECOND, one.second, one.second_prompt),
            )
        )


def sides(one: Shown) -> list[tuple[Output, Prompt, Output, Prompt]]:
    """The preferred side and the other; nothing for a tie."""
    first, second = (one.first, one.first_prompt), (one.second, one.second_prompt)
    if one.ballot.vote.outcome is Outcome.FIRST:
        return [(*first, *second)]
    if one.ballot.vote.outcome is Outcome.SECOND:
        return [(*second, *first)]
    return []
