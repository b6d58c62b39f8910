"""AlpacaEval's annotations: a list of pairs with a preference between 1 (the first) and 2 (the second).

The win rate of ``generator_2`` is the mean of preference - 1 (tatsu-lab/alpaca_eval, metrics).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from optimizer.domain import Outcome, RaterKind
from optimizer.errors import BadInput
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.history import Battle, History, Side, field
from optimizer.formats.shared_input import input_text, shown
from optimizer.formats.tables import read_records

PREFERENCE = {Outcome.FIRST: 1.0, Outcome.SECOND: 2.0, Outcome.BOTH_GOOD: 1.5, Outcome.BOTH_BAD: 1.5}


class AlpacaEval:
    """Import and export of annotations."""

    name: ClassVar[str] = "alpaca-eval"
    label: ClassVar[str] = "AlpacaEval annotations (JSON)"
    about: ClassVar[str] = (
        "A list of objects with 'instruction', 'output_1', 'generator_1', 'output_2', 'generator_2' and "
        "'preference' (below 1.5: the first, above: the second)."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("json", "jsonl")
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "json"
    mime: ClassVar[str] = "application/json"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Both good and both bad are one value (1.5); no grades, reasons or times. The instruction is the "
        "input that both sides share."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Annotators are taken for judges, which they are in AlpacaEval; null preferences are no votes."""
        faults = Faults()
        records = list(read_records(upload, faults))
        history = History(contents, choices, now, faults)
        for where, record in records:
            try:
                outcome = _outcome(record)
                if outcome is None:
                    history.left_out["no preference"] += 1
                    continue
                first, second = (Side(field(record, f"generator_{n}"), _output(record, n)) for n in (1, 2))
                question = {"question": field(record, "instruction")}
                rater = record.get("annotator")
            except BadInput as error:
                faults.add(where, str(error))
                continue
            name = rater if isinstance(rater, str) else ""
            history.add(Battle(where, first, second, outcome, name, question, RaterKind.JUDGE))
        return history.preview([{"instruction": str(r.get("instruction", ""))} for _, r in records[:HEAD]])

    def write(self, extract: Extract) -> Iterator[str]:
        yield "["
        separator = "\n"
        for one in shown(extract):
            row = {
                "instruction": input_text(one.row),
                "output_1": one.first.text,
                "generator_1": one.first_prompt.name,
                "output_2": one.second.text,
                "generator_2": one.second_prompt.name,
                "annotator": extract.raters[one.ballot.vote.rater].name,
                "preference": PREFERENCE[one.ballot.vote.outcome],
            }
            yield separator + json.dumps(row, ensure_ascii=False)
            separator = ",\n"
        yield "\n]\n"


def _outcome(record: Mapping[str, Any]) -> Outcome | None:
    raw = record.get("preference")
    if raw in (None, "NaN", ""):
        return None
    try:
        preference = float(raw)
    except (TypeError, ValueError) as fault:
        raise BadInput(f"has the preference '{raw}', which is not a number") from fault
    if not 1.0 <= preference <= 2.0:
        raise BadInput(f"has the preference {raw}, which is not between 1 and 2")
    if preference == 1.5:
        return Outcome.BOTH_GOOD
    return Outcome.FIRST if preference < 1.5 else Outcome.SECOND


def _output(record: Mapping[str, Any], number: int) -> str:
    text = record.get(f"output_{number}")
    if not isinstance(text, str):
        raise BadInput(f"has no 'output_{number}'")
    return text
