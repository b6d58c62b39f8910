"""Inputs as a table: one row per input, one column per variable, and optionally tags. In and out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from optimizer.checks import KEY_NAMES, check_variables, clean_tags
from optimizer.domain import Batch, Input
from optimizer.errors import BadInput
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload, told
from optimizer.formats.tables import Row, Table, read_table
from optimizer.formats.writing import csv_lines
from optimizer.inputs_table import Content, InputRow, content_of, plan_additions
from optimizer.templates import is_variable_name, variables_of

TAGS = "tags"
ID = KEY_NAMES[0]


class InputsTable:
    """Import of inputs from CSV or JSONL, export as CSV."""

    name: ClassVar[str] = "inputs"
    label: ClassVar[str] = "Inputs (CSV, JSONL)"
    about: ClassVar[str] = (
        "One row per input, one column per variable. A column 'tags' holds tags, by commas or semicolons. "
        "A column 'input_id', 'id' or 'key' holds your own names of rows, for use in files of outputs."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("csv", "tsv", "jsonl", "json")
    makes_study: ClassVar[bool] = False
    suffix: ClassVar[str] = "csv"
    mime: ClassVar[str] = "text/csv"
    whole: ClassVar[bool] = True
    loses: ClassVar[str] = "Holds the inputs in use with their tags; no dates and no retired inputs."

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Rows that are there already are left alone; a row with the key of an input and other variables
        takes its place."""
        faults = Faults()
        table = read_table(upload, (TAGS,), faults)
        if _check_columns(table, contents, faults):
            return Preview(Batch(), _head(table.rows), faults=faults.sentences())
        by_key = _by_key(contents.inputs)
        rows: list[InputRow] = []
        seen: dict[Content, str] = {}
        keys: dict[str, str] = {}
        repeated = 0
        for row in table.rows:
            wanted = _input_row(row, by_key, faults)
            if wanted is None:
                continue
            first = seen.setdefault(content_of(wanted.variables), row.where)
            if first != row.where:
                repeated += 1
                continue
            key = wanted.id or next((row.cells[name] for name in KEY_NAMES if row.cells.get(name)), "")
            if key and keys.setdefault(key, row.where) != row.where:
                faults.add(
                    row.where, f"has the key '{key}', and so has {keys[key][:1].lower()}{keys[key][1:]}"
                )
            rows.append(wanted)
        notes = [f"{told(repeated, 'row')} left out: repeated in the file."] if repeated else []
        if faults:
            return Preview(Batch(), head=_head(table.rows), faults=faults.sentences())
        change = plan_additions(contents.study.id, contents.prompts, contents.inputs, rows, now)
        for count, noun, what in (
            (change.added, "new input", ""),
            (change.retired, "input", " of the same key retired: a changed row takes its place"),
            (change.restored, "retired input", " restored"),
            (change.retagged, "input", " with other tags"),
            (change.unchanged, "row", " left out: there already"),
        ):
            if count:
                notes.append(f"{told(count, noun)}{what}.")
        return Preview(change.batch, _head(table.rows), tuple(notes))

    def write(self, extract: Extract) -> Iterator[str]:
        inputs = [row for row in extract.contents.inputs if row.retired_at is None]
        names = variable_names(inputs)
        ours = [] if ID in names else [ID]
        rows = (
            [
                *([row.id] if ours else []),
                *(row.variables.get(name, "") for name in names),
                ";".join(row.tags),
            ]
            for row in inputs
        )
        return csv_lines([*ours, *names, TAGS], rows)


def variable_names(inputs: Sequence[Input]) -> list[str]:
    """Every variable of any of these inputs, in order of appearance."""
    return list(dict.fromkeys(name for row in inputs for name in row.variables))


def _check_columns(table: Table, contents: Contents, faults: Faults) -> bool:
    """What is wrong with a column is said once, not in every row; True when something is."""
    bad = False
    for column in table.columns:
        if column != TAGS and not is_variable_name(column):
            bad = True
            faults.add(
                f"Column '{column}'",
                "cannot be a variable: its name must not hold braces, double quotes, colons or line breaks",
            )
    for name, prompt in _needed(contents).items():
        if name not in table.columns:
            bad = True
            faults.add_sentence(
                f"There is no column '{name}', which the prompt '{prompt}' uses. Add the column or choose "
                "another file."
            )
            continue
        for row in table.rows:
            if name not in row.cells:
                faults.add(row.where, f"has no '{name}', which the prompt '{prompt}' uses")
    return bad


def _needed(contents: Contents) -> dict[str, str]:
    """The variables that prompts in use need, each with the name of one that does."""
    return {
        name: prompt.name
        for prompt in reversed(contents.prompts)
        if prompt.retired_at is None
        for name in variables_of(prompt.text)
    }


def _by_key(inputs: Sequence[Input]) -> Mapping[str, Input]:
    """Inputs in use by id, and by each value of a key variable."""
    known: dict[str, Input] = {}
    for row in inputs:
        if row.retired_at is None:
            known[row.id] = row
            known.update({row.variables[name]: row for name in KEY_NAMES if row.variables.get(name)})
    return known


def _input_row(row: Row, by_key: Mapping[str, Input], faults: Faults) -> InputRow | None:
    variables = {name: cell for name, cell in row.cells.items() if name != TAGS}
    key = next((variables[name] for name in KEY_NAMES if variables.get(name)), "")
    known = by_key.get(key)
    if known is not None and variables.get(ID) == known.id:
        del variables[ID]  # our own id, from an export: not a variable
    try:
        checked = check_variables(variables)
        tags = clean_tags(row.cells.get(TAGS, ""))
    except BadInput as error:
        faults.add_error(row.where, error)
        return None
    return InputRow(checked, tags, known.id if known is not None else None)


def _head(rows: Sequence[Row]) -> tuple[Mapping[str, str], ...]:
    return tuple(row.cells for row in rows[:HEAD])
