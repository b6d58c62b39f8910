"""Outputs made elsewhere, one input per row and one column per prompt."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import HEAD, Choices, Contents, Faults, Preview, Upload
from optimizer.formats.inputs import ID, TAGS, variable_names
from optimizer.formats.tables import read_table

MARK = "output:"  # before a prompt's name in a header


class OutputsWide:
    """Import from CSV or JSONL."""

    name: ClassVar[str] = "outputs-wide"
    label: ClassVar[str] = "Outputs, one column per prompt (CSV, JSONL)"
    about: ClassVar[str] = (
        "One row per input: 'input_id' or one column per variable, and one column per prompt, headed by the "
        "prompt's name or, for a new prompt, by 'output: name'. Empty cells are outputs still missing."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("csv", "tsv", "jsonl", "json")
    makes_study: ClassVar[bool] = False

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        faults = Faults()
        table = read_table(upload, (ID, TAGS), faults)
        prompts = prompt_columns(table.columns, contents, choices, faults)
        variables = [name for name in table.columns if name not in (ID, TAGS) and name not in prompts]
        if not prompts:
            faults.add_sentence("No column is headed by a prompt's name. Write 'output: NAME' in its header.")
        if ID not in table.columns and not variables:
            faults.add_sentence(
                "Nothing says which input a row belongs to: add a column input_id or variables."
            )
        arrivals = Arrivals(contents, choices, now, faults)
        if faults:
            return arrivals.preview(())
        named = {column: arrivals.prompt(name, f"Column '{column}'") for column, name in prompts.items()}
        for row in table.rows:
            values = {name: row.cells[name] for name in variables if name in row.cells}
            key = row.cells.get(ID, "")
            if key.strip():
                found = arrivals.input_by_key(
                    key, values, row.cells.get(TAGS, ""), f"{row.where}, column '{ID}'"
                )
            elif values:
                found = arrivals.input_by_variables(values, row.cells.get(TAGS, ""), row.where)
            else:
                faults.add(row.where, "does not say which input it belongs to")
                continue
            for column, prompt in named.items():
                text = row.cells.get(column, "")
                if prompt is not None and found is not None:
                    arrivals.output(prompt, found, text, f"{row.where}, column '{column}'")
        return arrivals.preview(tuple(row.cells for row in table.rows[:HEAD]))


def prompt_columns(
    columns: Sequence[str], contents: Contents, choices: Choices, faults: Faults
) -> dict[str, str]:
    """Which columns hold outputs, and of which prompt. A column that could be anything is a fault."""
    known_prompts = {prompt.name.casefold(): prompt.name for prompt in contents.prompts}
    in_use = [row for row in contents.inputs if row.retired_at is None]
    known_variables = set(variable_names(in_use))
    marked = {column: column[len(MARK) :].strip() for column in columns if column.casefold().startswith(MARK)}
    marked |= {column: column for column in choices.prompt_columns if column not in marked}
    found = dict(marked)
    for column in columns:
        if column in marked or column in (ID, TAGS):
            continue
        if column.casefold() in known_prompts and column not in known_variables:
            found[column] = known_prompts[column.casefold()]
        elif column not in known_variables and in_use and not marked:
            faults.add(
                f"Column '{column}'",
                f"is neither a prompt nor a variable of this study. If it holds outputs, head it "
                f"'{MARK} {column}'",
            )
    return {column: name for column, name in found.items() if column in columns}
