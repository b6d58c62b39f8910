"""A file on its way into a study: choose it, see what it would do, store all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from optimizer.domain import Study, StudyId
from optimizer.formats import IMPORTERS
from optimizer.formats.base import Choices, Preview, Upload
from pages.parts import access, frame, labels, notices
from pages.parts.access import Visit

LISTED = 200  # faults shown
HEAD_ROWS = 8
CELL = 300  # characters of a cell in the preview


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file as the uploader holds it; ``id`` differs for every file that was chosen."""

    id: str
    upload: Upload


def draw(visit: Visit, study: Study | None, formats: Sequence[str], key: str, then: str = "") -> None:
    """The uploader, and beneath it the preview. Without a study the file makes one. ``then``: the tab of
    this screen that shows what was imported."""
    turn = st.session_state.get(f"{key}_turn", "0")
    for name in formats:
        importer = IMPORTERS[name]
        st.caption(f"**{importer.label}.** {labels.plain(importer.about)}")
    file = st.file_uploader(
        "File",
        sorted({suffix for name in formats for suffix in IMPORTERS[name].suffixes}),
        key=f"{key}_file_{turn}",
        max_upload_size=visit.services.config.max_upload_bytes // 2**20,
        label_visibility="collapsed",
    )
    if file is None:
        return
    chosen = Chosen(file.file_id, Upload(file.name, file.getvalue()))
    with frame.errors_shown():
        format_name = _format(visit, chosen, formats, key)
        choices = _choices(visit, chosen, format_name, key)
        version = visit.services.store.counters(study.id).content_version if study else 0
        preview = _read(visit, chosen, chosen.id, format_name, study.id if study else None, choices, version)
        _draw_preview(preview)
        st.button(
            "Import",
            type="primary",
            key=f"{key}_import",
            on_click=_store,
            args=(visit, preview, key, then),
            disabled=bool(preview.faults),
        )


def _format(visit: Visit, chosen: Chosen, formats: Sequence[str], key: str) -> str:
    """The format that the file's name tells; where it fits several, the likeliest, or as a person says."""
    suffix = chosen.upload.name.rpartition(".")[2].lower()
    fitting = [name for name in formats if suffix in IMPORTERS[name].suffixes] or list(formats)
    if len(fitting) == 1:
        return fitting[0]
    guess = _guess(visit, chosen, chosen.id)
    return st.radio(
        "Layout of the file",
        fitting,
        fitting.index(guess) if guess in fitting else 0,
        format_func=lambda name: IMPORTERS[name].label,
        key=f"{key}_format_{chosen.id}",
        horizontal=True,
    )


def _choices(visit: Visit, chosen: Chosen, format_name: str, key: str) -> Choices:
    """What a person decides about this file."""
    if not format_name.startswith("outputs"):
        return Choices()
    create = st.toggle(
        "Create prompts and inputs that the study lacks", True, key=f"{key}_create_{chosen.id}"
    )
    if format_name != "outputs-wide":
        return Choices(create)
    columns = st.multiselect(
        "Columns that hold outputs, where the header does not say so",
        _columns(visit, chosen, chosen.id),
        key=f"{key}_columns_{chosen.id}",
        help="A column headed by a prompt's name, or by 'output: name', is recognised.",
    )
    return Choices(create, tuple(columns))


def _draw_preview(preview: Preview) -> None:
    if preview.faults:
        told = labels.counted(len(preview.faults), "fault")
        st.error(f"{told}. Nothing is imported until the file has none.", icon=":material/error:")
        st.code("\n".join(preview.faults[:LISTED]), language=None, wrap_lines=True)
        if len(preview.faults) > LISTED:
            st.caption(f"The first {LISTED} of {len(preview.faults):,}.")
    for note in () if preview.faults else preview.notes:
        st.markdown(f"- {labels.plain(note)}")
    if preview.head:
        shown = preview.head[:HEAD_ROWS]
        st.caption(f"The first {labels.counted(len(shown), 'row')}, as understood:")
        st.dataframe(
            [{name: labels.one_line(cell, CELL) for name, cell in row.items()} for row in shown],
            hide_index=True,
        )


def _store(visit: Visit, preview: Preview, key: str, then: str) -> None:
    turn = st.session_state.get(f"{key}_turn", "0")

    def act() -> None:
        study = visit.services.exchange.apply(preview)
        if preview.study is None:
            st.session_state[access.STUDY] = study.id
            st.session_state["panel"] = ""

    if notices.attempt(act, " ".join(("Imported.", *preview.notes[:3]))):
        st.session_state[f"{key}_turn"] = str(int(turn) + 1)
        if then:
            st.session_state[f"{key}_tab"] = then


# A file is read once per content of the study, not in every run of the page. Arguments that begin with an
# underscore are not part of the key; the file's id is. What comes back is frozen.


@st.cache_resource(scope="session", max_entries=2, show_spinner="Reading the file")
def _read(
    _visit: Visit,
    _chosen: Chosen,
    file_id: str,
    format_name: str,
    study: StudyId | None,
    choices: Choices,
    version: int,
) -> Preview:
    return _visit.services.exchange.preview(format_name, _chosen.upload, study, choices)


@st.cache_resource(scope="session", max_entries=2, show_spinner="Reading the file")
def _columns(_visit: Visit, _chosen: Chosen, file_id: str) -> tuple[str, ...]:
    return _visit.services.exchange.columns(_chosen.upload)


@st.cache_resource(scope="session", max_entries=2, show_spinner="Reading the file")
def _guess(_visit: Visit, _chosen: Chosen, file_id: str) -> str:
    return _visit.services.exchange.guess(_chosen.upload)
