"""From what a table editor reports to the rows that a person wants.

The report is Streamlit's: edited cells by place, added rows, deleted places. Nothing of it is applied
before Save, so this is a pure function of the inputs shown and the report.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from optimizer.checks import clean_tags
from optimizer.domain import Input
from optimizer.inputs_table import InputRow

TAGS = ":tags"  # no variable can have this name


class Edits(TypedDict, total=False):
    """What ``st.data_editor`` keeps under its key."""

    edited_rows: dict[int, dict[str, object]]
    added_rows: list[dict[str, object]]
    deleted_rows: list[int]


def any_of(edits: Edits) -> bool:
    """Is there anything to save?"""
    return bool(edits.get("edited_rows") or edits.get("added_rows") or edits.get("deleted_rows"))


def rows(shown: Sequence[Input], names: Sequence[str], edits: Edits) -> list[InputRow]:
    """The rows of the table after the edits; blank rows that were added are left out."""
    cells = {int(place): changed for place, changed in edits.get("edited_rows", {}).items()}
    deleted = set(edits.get("deleted_rows", ()))
    kept = [_edited(row, cells.get(place, {})) for place, row in enumerate(shown) if place not in deleted]
    added = [_added(names, changed) for changed in edits.get("added_rows", ())]
    return kept + [row for row in added if any(value.strip() for value in row.variables.values())]


def _edited(row: Input, changed: Mapping[str, object]) -> InputRow:
    """An emptied cell is an empty text; a variable that the row never had stays away."""
    variables = dict(row.variables)
    for name, value in changed.items():
        if name != TAGS and (value is not None or name in variables):
            variables[name] = _text(value)
    tags = clean_tags(_text(changed[TAGS])) if TAGS in changed else row.tags
    return InputRow(variables, tags, row.id)


def _added(names: Sequence[str], changed: Mapping[str, object]) -> InputRow:
    return InputRow({name: _text(changed.get(name)) for name in names}, clean_tags(_text(changed.get(TAGS))))


def _text(value: object) -> str:
    return "" if value is None else str(value)
