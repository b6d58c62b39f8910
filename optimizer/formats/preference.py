"""Preference pairs: chosen against rejected, as other libraries write and want them.

Read are TRL's and Hugging Face's, Argilla's and distilabel's rows. They must name what competed, for votes
without names say nothing about prompts: TRL's own fields do not, ours beside them do.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from optimizer.domain import Outcome, RaterKind
from optimizer.errors import BadInput
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.history import Battle, History, Side, spoken
from optimizer.formats.shared_input import answer, input_text, opening, shown
from optimizer.formats.tables import read_records
from optimizer.formats.trl import sides
from optimizer.formats.writing import json_lines

# Where the name of the side stands, in the order of preference.
NAMES = ("{}_prompt", "{}_model")


class PreferencePairs:
    """Import of rows with ``chosen`` and ``rejected``, or with ``generations`` and ``ratings``."""

    name: ClassVar[str] = "preference-pairs"
    label: ClassVar[str] = "Preference pairs (TRL, Argilla, distilabel)"
    about: ClassVar[str] = (
        "Rows with 'prompt', 'chosen' and 'rejected', named by 'chosen_model' and 'rejected_model' or "
        "'chosen_prompt' and 'rejected_prompt'; or with 'instruction', 'generations', 'ratings' and "
        "'generation_models', of which the best and the worst make a vote."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("jsonl", "json")
    makes_study: ClassVar[bool] = True

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Such rows do not say which side was shown first: it alternates from row to row."""
        faults = Faults()
        records = list(read_records(upload, faults))
        history = History(contents, choices, now, faults)
        for number, (where, record) in enumerate(records):
            try:
                better, worse, question, rater, kind = (
                    _rated(record) if "generations" in record else _paired(record)
                )
            except BadInput as error:
                faults.add(where, str(error))
                continue
            first, second = (better, worse) if number % 2 == 0 else (worse, better)
            outcome = Outcome.FIRST if number % 2 == 0 else Outcome.SECOND
            history.add(Battle(where, first, second, outcome, rater, {"question": question}, kind))
        told = "The file does not say which side was shown first: it is taken to alternate."
        return history.preview(
            [{"prompt": _asked(r.get("prompt")) or ""} for _, r in records[:HEAD]], notes=[told]
        )


class OpenAiPreference:
    """Preference fine-tuning data of OpenAI, Azure, Together and Fireworks."""

    name: ClassVar[str] = "openai-preference"
    label: ClassVar[str] = "OpenAI / Together / Fireworks preference fine-tuning (JSONL)"
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "The input is what both sides share, not either side's prompt; no names of prompts, raters, grades "
        "or reasons. Leaves out both good, both bad and skips."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        study = extract.contents.study
        return json_lines(
            {
                "input": {"messages": opening(study, one.row), "tools": [], "parallel_tool_calls": True},
                "preferred_output": answer(chosen),
                "non_preferred_output": answer(rejected),
            }
            for one in shown(extract)
            for chosen, _, rejected, _ in sides(one)
        )


class ArgillaPreference:
    """Rows of distilabel's FormatTextGenerationDPO, which Argilla takes as they are."""

    name: ClassVar[str] = "argilla-preference"
    label: ClassVar[str] = "Argilla / distilabel preference pairs (JSONL)"
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "'prompt' is the input that both sides share; names of prompts stand as models. There are no ratings "
        "behind votes, so these are null. Leaves out both good, both bad and skips."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        study = extract.contents.study
        return json_lines(
            {
                "prompt": input_text(one.row),
                "prompt_id": hashlib.sha256(input_text(one.row).encode()).hexdigest(),
                "chosen": [*opening(study, one.row), *answer(chosen)],
                "chosen_model": chosen_prompt.name,
                "chosen_rating": None,
                "rejected": [*opening(study, one.row), *answer(rejected)],
                "rejected_model": rejected_prompt.name,
                "rejected_rating": None,
            }
            for one in shown(extract)
            for chosen, chosen_prompt, rejected, rejected_prompt in sides(one)
        )


Read = tuple[Side, Side, str, str, RaterKind]


def _paired(record: Mapping[str, Any]) -> Read:
    better, worse = (Side(_name(record, side), _answered(record, side)) for side in ("chosen", "rejected"))
    chosen = record.get("chosen")
    question = _asked(record.get("prompt")) or (spoken(chosen, "user") if isinstance(chosen, list) else "")
    if not question:
        raise BadInput("has no 'prompt'")
    return better, worse, question, _text(record, "rater"), RaterKind.HUMAN


def _rated(record: Mapping[str, Any]) -> Read:
    said, ratings, names = (_listed(record, name) for name in ("generations", "ratings", "generation_models"))
    try:
        rated = sorted(zip(map(float, ratings), names, said, strict=True), key=lambda one: one[0])
    except (TypeError, ValueError) as fault:
        raise BadInput("has ratings that are not numbers, or lists of different lengths") from fault
    (low, worst, worst_said), (high, best, best_said) = rated[0], rated[-1]
    if low == high:
        raise BadInput("rates its best and its worst answer alike, so it holds no preference")
    question = record.get("instruction")
    if not isinstance(question, str) or not all(
        isinstance(t, str) for t in (worst, worst_said, best, best_said)
    ):
        raise BadInput("has an instruction, a model or a generation that is not a text")
    rater = _text(record, "model_name") or "ratings"
    return Side(best, best_said), Side(worst, worst_said), question, rater, RaterKind.JUDGE


def _listed(record: Mapping[str, Any], name: str) -> list[Any]:
    value = record.get(name)
    if not isinstance(value, list) or len(value) < 2:
        raise BadInput(f"needs a list of at least two '{name}'")
    return value


def _name(record: Mapping[str, Any], side: str) -> str:
    for pattern in NAMES:
        name = record.get(pattern.format(side))
        if isinstance(name, str) and name.strip():
            return name
    raise BadInput(f"does not name what competed: it has neither '{side}_prompt' nor '{side}_model'")


def _answered(record: Mapping[str, Any], side: str) -> str:
    said = spoken(record.get(side), "assistant")
    if not said.strip():
        raise BadInput(f"has no answer in '{side}'")
    return said


def _asked(prompt: object) -> str:
    """The question in a prompt that is a text or a conversation; "" where there is none."""
    return "" if prompt is None else spoken(prompt, "user")


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""
