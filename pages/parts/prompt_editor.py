"""Writing a prompt: the template, beside it what it becomes on an input, and what is wrong with it."""

from collections.abc import Sequence

import streamlit as st

from optimizer.checks import check_template
from optimizer.domain import Input, Prompt, Study
from optimizer.templates import render, variables_of
from optimizer.visible import visible
from pages.parts import diff, frame, labels, notices
from pages.parts.access import Visit

TALL = 340
LONGEST_PREVIEW = 40_000  # characters


def draw(visit: Visit, study: Study, inputs: Sequence[Input], parent: Prompt | None) -> None:
    """The form for a new prompt, or for a fork of one."""
    prefix = f"fork_{parent.id}" if parent else f"draft_{study.id}"
    st.subheader(f"Fork of {labels.plain(parent.name)}" if parent else "New prompt", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        suggested = visit.services.prompts.suggest_name(study.id, parent.name) if parent else ""
        st.text_input("Name", suggested, key=f"{prefix}_name", max_chars=200)
        text = st.text_area("Template", parent.text if parent else "", key=f"{prefix}_text", height=TALL)
        st.caption(_hint(inputs))
        st.text_input("Note (optional)", key=f"{prefix}_note", placeholder="What should it do better?")
        if parent is not None and parent.retired_at is None:
            st.checkbox("Retire the parent: no more duels for it", key=f"{prefix}_retire")
        with st.container(horizontal=True):
            st.button(
                "Save",
                type="primary",
                key=f"{prefix}_save",
                on_click=_save,
                args=(visit, study, parent, prefix),
            )
            st.button("Cancel", key=f"{prefix}_cancel", on_click=stop)
    with right:
        preview(text or "", inputs, prefix)
        if parent is not None and text and text != parent.text:
            st.markdown("**Changes**")
            diff.draw(parent.text, text, "the parent", "the fork")


def write(draft: str) -> None:
    """Open the editor: for "new", or for the prompt of this id to be forked. For callbacks."""
    st.session_state["writing"] = draft


def stop() -> None:
    """Close the editor."""
    st.session_state["writing"] = ""


def preview(text: str, inputs: Sequence[Input], prefix: str) -> None:
    """The template filled in on an input of choice, and what is wrong with it."""
    in_use = [row for row in inputs if row.retired_at is None]
    with frame.errors_shown():
        check_template(text, inputs)
    if not in_use:
        st.markdown("**Preview**")
        names = variables_of(text)
        if names:
            listed = ", ".join(f"`{{{{{name}}}}}`" for name in names)
            st.caption(f"There are no inputs yet. They will need the columns {listed}.")
        else:
            st.caption("There are no inputs yet to show it on.")
        return
    by_id, texts = {row.id: row for row in in_use}, labels.numbered(in_use)
    chosen = st.selectbox(
        "Preview on", list(texts), format_func=lambda row: texts[row], key=f"{prefix}_input"
    )
    row = by_id[chosen]
    if not text.strip() or any(name not in row.variables for name in variables_of(text)):
        return
    filled = render(text, row.variables)
    with st.container(height=TALL, border=False):
        st.code(visible(filled[:LONGEST_PREVIEW]), language=None, wrap_lines=True)
    st.caption(f"{len(filled):,} characters, {len(filled.split()):,} words")


def _hint(inputs: Sequence[Input]) -> str:
    names = list(dict.fromkeys(name for row in inputs if row.retired_at is None for name in row.variables))
    known = ", ".join(f"`{{{{{name}}}}}`" for name in names) or "any name in double braces"
    return f"Variables: {known}. The preview follows when you leave the field or press Ctrl+Enter."


def _save(visit: Visit, study: Study, parent: Prompt | None, prefix: str) -> None:
    name = st.session_state[f"{prefix}_name"] or ""
    text = st.session_state[f"{prefix}_text"] or ""
    note = st.session_state[f"{prefix}_note"] or ""

    def act() -> None:
        if parent is None:
            made = visit.services.prompts.write(study.id, name, text, note)
        else:
            retire = bool(st.session_state.get(f"{prefix}_retire"))
            made = visit.services.prompts.fork(study.id, parent.id, text, name, note, retire)
        st.session_state["prompt"] = made.id

    if notices.attempt(act, f"'{name.strip()}' is saved. It needs outputs before it can be voted on."):
        stop()
