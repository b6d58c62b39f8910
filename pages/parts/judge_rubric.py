"""The rubric: what judges go by, one criterion to a line, in versions; a model may draft it."""

from collections.abc import Mapping

import streamlit as st

from optimizer.domain import Connection, Study
from optimizer.errors import PromptDuelError
from optimizer.visible import visible
from pages.parts import keys, labels, notices
from pages.parts.access import Visit


def draw(visit: Visit, study: Study, known: Mapping[str, Connection]) -> None:
    """Editor on the left, earlier versions on the right."""
    field = f"rubric_{study.id}"
    rubrics = visit.services.judging.rubrics
    drafted = st.session_state.pop(f"{field}_drafted", None)
    if drafted is not None:
        st.session_state[field] = drafted
    st.session_state.setdefault(field, rubrics.shown(study.id))
    versions = rubrics.versions(study.id)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.text_area(
            "What judges go by, one criterion to a line",
            key=field,
            height=260,
            max_chars=20_000,
            persist_state="session",
            help="Each change that you save is a new version; every vote says which one it went by.",
        )
        st.button(
            "Save as a new version",
            type="primary",
            key="save_rubric",
            on_click=_save,
            args=(visit, study, field),
        )
        if known:
            _draw_draft(visit, study, known, field)
    with right:
        if not versions:
            st.caption("No version yet: the first one is made of the study's criteria when a judge votes.")
        for rubric in reversed(versions):
            when = labels.local_time(rubric.created_at)
            title = f"Version {rubric.version}, {when:%Y-%m-%d %H:%M}"
            with st.expander(title, expanded=rubric is versions[-1], key=f"rubric_version_{rubric.version}"):
                st.code(visible(rubric.text) or "(no criteria)", language=None, wrap_lines=True)
                st.button(
                    "Edit this text", key=f"take_{rubric.id}", type="tertiary", on_click=_take,
                    args=(field, rubric.text),
                )  # fmt: skip


def _draw_draft(visit: Visit, study: Study, known: Mapping[str, Connection], field: str) -> None:
    with st.container(border=True, key="draft_criteria"):
        st.caption(
            "A model can propose criteria from the task and people's newest votes, in one or two calls."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.selectbox("Model", list(known), key="draft_with", width=280)
            wanted = st.button("Draft criteria", key="draft", icon=":material/edit_note:")
        if not wanted:
            return
        services = visit.services
        try:
            with st.spinner("Waiting for an answer…", show_time=True):
                lane = services.connections.lane(name, keys.typed(visit))
                lines = services.judging.rubrics.draft(study.id, lane.under())
        except PromptDuelError as error:
            st.error(labels.plain(str(error)), icon=":material/error:")
            return
        st.session_state[f"{field}_drafted"] = "\n".join(f"- {line}" for line in lines)
        st.rerun()


def _save(visit: Visit, study: Study, field: str) -> None:
    text = st.session_state[field] or ""
    notices.attempt(lambda: visit.services.judging.rubrics.edit(study.id, text), "The rubric is saved.")


def _take(field: str, text: str) -> None:
    st.session_state[field] = text
