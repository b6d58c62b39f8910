"""Outputs made elsewhere, one per row: prompt, input, output. In and out."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from optimizer.checks import SCORE, read_score, score_of
from optimizer.errors import BadInput
from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Made, Preview, Upload
from optimizer.formats.inputs import ID, TAGS, variable_names
from optimizer.formats.tables import Row, read_table
from optimizer.formats.writing import Cell, csv_lines

PROMPT, OUTPUT, TEXT, SAMPLE, MODEL = "prompt", "output", "prompt_text", "sample", "model"
RESERVED = (PROMPT, OUTPUT, ID, TEXT, SAMPLE, MODEL, SCORE, TAGS)


class OutputsLong:
    """Import from CSV or JSONL, export as CSV."""

    name: ClassVar[str] = "outputs-long"
    label: ClassVar[str] = "Outputs, one per row (CSV, JSONL)"
    about: ClassVar[str] = (
        "Columns 'prompt' (its name) and 'output'; the input by 'input_id', by one column per variable, or "
        "both. Optional: 'prompt_text', 'sample' (0, 1, ... for repeats), 'model', 'score' (a number, of "
        "any metric of yours), 'tags'."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("csv", "tsv", "jsonl", "json")
    makes_study: ClassVar[bool] = False
    suffix: ClassVar[str] = "csv"
    mime: ClassVar[str] = "text/csv"
    whole: ClassVar[bool] = True
    loses: ClassVar[str] = (
        "Holds the outputs that can be shown, of prompts and inputs in use; no failed ones, tokens or times."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        faults = Faults()
        table = read_table(upload, RESERVED, faults)
        for column in (PROMPT, OUTPUT):
            if column not in table.columns:
                faults.add_sentence(
                    f"There is no column '{column}'. The header is: {', '.join(table.columns) or 'empty'}."
                )
        by_row = [name for name in table.columns if name not in RESERVED]
        if ID not in table.columns and not by_row:
            faults.add_sentence(
                "Nothing says which input a row belongs to: add a column input_id or variables."
            )
        variables, others = _variable_columns(by_row, contents)
        arrivals = Arrivals(contents, choices, now, faults)
        if not faults:
            for row in table.rows:
                _read_row(row, variables, arrivals, faults)
        notes = tuple(f"Column '{name}' is no variable of this study's inputs: left out." for name in others)
        return arrivals.preview(tuple(row.cells for row in table.rows[:HEAD]), notes)

    def write(self, extract: Extract) -> Iterator[str]:
        contents = extract.contents
        prompts = {prompt.id: prompt for prompt in contents.prompts if prompt.retired_at is None}
        inputs = {row.id: row for row in contents.inputs if row.retired_at is None}
        names = [name for name in variable_names(list(inputs.values())) if name not in RESERVED]
        scored = any(score_of(output) is not None for output in contents.outputs)
        rows: Iterator[list[Cell]] = (
            [
                prompts[output.prompt].name,
                inputs[output.input].variables.get(ID) or output.input,
                *(inputs[output.input].variables.get(name, "") for name in names),
                output.sample,
                output.model,
                *([score_of(output)] if scored else []),
                output.text,
            ]
            for output in contents.outputs
            if output.usable and output.prompt in prompts and output.input in inputs
        )
        return csv_lines([PROMPT, ID, *names, SAMPLE, MODEL, *([SCORE] if scored else []), OUTPUT], rows)


def _variable_columns(columns: Sequence[str], contents: Contents) -> tuple[list[str], list[str]]:
    """Columns that hold variables, and columns that hold something else (a time, a cost). In a study
    without inputs, or with altogether different ones, every column is a variable."""
    known = variable_names([row for row in contents.inputs if row.retired_at is None])
    variables = [name for name in columns if name in known] or list(columns)
    return variables, [name for name in columns if name not in variables]


def _read_row(row: Row, names: Sequence[str], arrivals: Arrivals, faults: Faults) -> None:
    for column in (PROMPT, OUTPUT):
        if column not in row.cells:
            faults.add(row.where, f"has no '{column}'")
            return
    raw_sample = row.cells.get(SAMPLE, "").strip()
    if raw_sample and not (raw_sample.isascii() and raw_sample.isdigit() and len(raw_sample) < 7):
        faults.add(f"{row.where}, column '{SAMPLE}'", f"holds '{raw_sample}', not a whole number from 0")
        return
    try:
        score = read_score(row.cells.get(SCORE, ""))
    except BadInput as error:
        faults.add(f"{row.where}, column '{SCORE}'", str(error))
        return
    variables = {name: row.cells[name] for name in names if name in row.cells}
    tags = row.cells.get(TAGS, "")
    prompt = arrivals.prompt(row.cells[PROMPT], f"{row.where}, column '{PROMPT}'", row.cells.get(TEXT, ""))
    key = row.cells.get(ID, "")
    if key.strip():
        found = arrivals.input_by_key(key, variables, tags, f"{row.where}, column '{ID}'")
    elif variables:
        found = arrivals.input_by_variables(variables, tags, row.where)
    else:
        faults.add(row.where, "does not say which input it belongs to")
        return
    if prompt is not None and found is not None:
        sample = int(raw_sample) if raw_sample else None
        arrivals.output(
            prompt, found, row.cells[OUTPUT], row.where, sample, Made(row.cells.get(MODEL, ""), score)
        )
