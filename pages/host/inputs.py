"""The inputs: a table to edit, a file to upload, and the rows put aside."""

import hashlib
from collections import Counter
from typing import Literal

import pandas as pd
import streamlit as st

from optimizer.domain import Input
from optimizer.errors import Conflict
from optimizer.formats.inputs import variable_names
from optimizer.inputs_table import InputRow, TableChange
from optimizer.templates import variables_of
from pages.parts import access, frame, labels, notices, table_edits, upload

PER_PAGE = 200  # rows in the editor at a time
HEIGHT = 420


def input_columns() -> list[str]:
    """Variables of the inputs in use, those that prompts use, and those that were just added."""
    wanted = [name for prompt in prompts if prompt.retired_at is None for name in variables_of(prompt.text)]
    added = st.session_state.get(more, "").split("\n")
    names = [*variable_names(in_use), *wanted, *(name for name in added if name)]
    return list(dict.fromkeys(names)) or ["text"]


def editor_key() -> str:
    """Changes when what is edited changed underneath, so that no edit lands in another row."""
    told = repr([(row.id, row.tags) for row in in_use] + columns + [page])
    return f"table_{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def wanted_rows(edits: table_edits.Edits) -> list[InputRow]:
    """The whole table: the rows of this page as edited, all others as they are."""
    untouched = [InputRow(row.variables, row.tags, row.id) for row in in_use]
    return untouched[:start] + table_edits.rows(shown, columns, edits) + untouched[start + len(shown) :]


def save(key: str) -> None:
    said: list[str] = []

    def act() -> None:
        if [row for row in store.inputs(study.id) if row.retired_at is None] != in_use:
            raise Conflict(
                "The inputs changed meanwhile, so nothing was saved. Look again, and repeat your edit."
            )
        said.append(told(visit.services.inputs.apply_table(study.id, wanted_rows(st.session_state[key]))))
        st.session_state[more] = ""

    if notices.attempt(act, "Saved."):
        frame.keep_message(f"Saved: {said[0]}.")


def add_column() -> None:
    name = (st.session_state.get("new_column") or "").strip()
    if name and name not in columns:
        st.session_state[more] = "\n".join([*st.session_state.get(more, "").split("\n"), name]).strip()
    st.session_state["new_column"] = ""


def restore(key: str, retired: list[Input]) -> None:
    chosen = [retired[place] for place in st.session_state[key]["selection"]["rows"]]

    def act() -> None:
        for row in chosen:
            visit.services.inputs.restore(study.id, row.id)

    notices.attempt(act, f"{labels.counted(len(chosen), 'input')} restored.")


def told(change: TableChange) -> str:
    """A change of the table in words."""
    parts = (
        (change.added, "new"),
        (change.retired, "retired"),
        (change.restored, "brought back"),
        (change.retagged, "with other tags"),
    )
    return ", ".join(f"{number:,} {what}" for number, what in parts if number) or "nothing changes"


def frame_of(rows: list[Input], names: list[str]) -> pd.DataFrame:
    """The rows as a table, numbered as people count them."""
    cells = {
        table_edits.TAGS: [", ".join(row.tags) for row in rows],
        **{name: [row.variables.get(name) for row in rows] for name in names},
    }
    return pd.DataFrame(cells, pd.RangeIndex(start + 1, start + 1 + len(rows)), dtype="str")


def draw_editor() -> None:
    key = editor_key()
    width: Literal["medium", "large"] = "large" if len(columns) < 3 else "medium"
    st.data_editor(
        frame_of(shown, columns),
        key=key,
        num_rows="dynamic",
        height=HEIGHT if len(shown) > 10 else "auto",
        column_config={
            table_edits.TAGS: st.column_config.TextColumn("Tags", width="small", help="Separated by commas."),
            **{name: st.column_config.TextColumn(name, width=width) for name in columns},
        },
    )
    edits = st.session_state[key]
    edited = table_edits.any_of(edits)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Save", type="primary", key="save", on_click=save, args=(key,), disabled=not edited)
        with st.popover("Add a column", icon=":material/add_column_right:", disabled=edited):
            st.text_input("Name of the variable", key="new_column", max_chars=100, on_change=add_column)
        if edited:
            draw_plan(edits)
        else:
            st.caption("Type into the table, add rows at its end, or tick rows and delete them; then save.")


def draw_plan(edits: table_edits.Edits) -> None:
    """What Save will do, or why it cannot."""
    with frame.errors_shown():
        change = visit.services.inputs.planned(study.id, wanted_rows(edits))
        outputs = Counter(key.input for key in store.output_index(study.id))
        left = sum(
            outputs[noun.id] for noun in change.batch.changes if isinstance(noun, Input) and noun.retired_at
        )
        told_more = ""
        if change.retired and change.added:
            told_more += " A row with other variables is a new input; the old one is retired."
        if left:
            told_more += f" {labels.counted(left, 'output')} of retired rows will no longer be shown."
        st.caption(f"Save: {told(change)}.{told_more}")


def draw_retired(retired: list[Input]) -> None:
    key = f"retired_{study.id}_{len(retired)}"
    with st.expander(f"Retired inputs ({len(retired):,})", icon=":material/inventory_2:"):
        state = st.dataframe(
            frame_of(retired, variable_names(retired)),
            hide_index=True,
            key=key,
            selection_mode="multi-row",
            on_select="rerun",
            column_config={table_edits.TAGS: "Tags"},
        )
        st.button(
            "Restore the ticked rows",
            key="restore",
            on_click=restore,
            args=(key, retired),
            disabled=not state["selection"]["rows"],
        )


visit, study = access.enter()
frame.style()
notices.draw()
store = visit.services.store
prompts, inputs = store.prompts(study.id), store.inputs(study.id)
in_use = [row for row in inputs if row.retired_at is None]
more = f"more_columns_{study.id}"
columns = input_columns()

st.header("Inputs", anchor=False)
if not in_use:
    st.info(
        "This study has no inputs yet. Type the first row here, or upload a table.",
        icon=":material/table_rows:",
    )
edit_tab, upload_tab = st.tabs(["Table", "Upload"], on_change="rerun", key="inputs_tab", bind="query-params")
pages = max(1, -(-len(in_use) // PER_PAGE))
with edit_tab:
    if edit_tab.open:
        page = 1
        if pages > 1:
            page = st.pagination(pages, key=f"inputs_page_{study.id}_{pages}")
            st.caption(f"{len(in_use):,} inputs, {PER_PAGE} to a page. Save before you turn the page.")
        start = (page - 1) * PER_PAGE
        shown = in_use[start : start + PER_PAGE]
        draw_editor()
        retired = [row for row in inputs if row.retired_at is not None]
        if retired:
            draw_retired(retired)
with upload_tab:
    if upload_tab.open:
        upload.draw(visit, study, ("inputs",), "inputs", "Table")
