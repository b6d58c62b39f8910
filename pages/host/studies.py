"""The studies: open one, make one, change how it is run, put it away."""

import streamlit as st

from optimizer.domain import Study, StudyId
from optimizer.formats import IMPORTERS
from pages.parts import access, frame, labels, notices, study_form, upload

SHOWN = 10  # studies on one page


def toggle_panel(name: str) -> None:
    st.session_state["panel"] = "" if st.session_state.get("panel") == name else name


def restore_samples() -> None:
    def act() -> None:
        restored = visit.services.studies.restore_samples()
        brought.extend(f"'{study.name}'" for study in restored)

    brought: list[str] = []
    if notices.attempt(act, "The sample studies are all there.") and brought:
        frame.keep_message(labels.plain(f"{' and '.join(brought)} restored."))


def choose(study: StudyId) -> None:
    st.session_state[access.STUDY] = study


def edit(study: StudyId) -> None:
    st.session_state["editing"] = "" if st.session_state.get("editing") == study else study


def duplicate(study: Study) -> None:
    notices.attempt(
        lambda: visit.services.studies.duplicate(study.id),
        f"'{study.name}' is copied: prompts, inputs and outputs, without votes.",
    )


def archive(study: Study) -> None:
    notices.attempt(lambda: visit.services.studies.archive(study.id), f"'{study.name}' is archived.")


def unarchive(study: Study) -> None:
    notices.attempt(lambda: visit.services.studies.unarchive(study.id), f"'{study.name}' is back.")


def counts(study: Study) -> str:
    """What a study holds, in a line."""
    store = visit.services.store
    held = (
        (sum(prompt.retired_at is None for prompt in store.prompts(study.id)), "prompt"),
        (sum(row.retired_at is None for row in store.inputs(study.id)), "input"),
        (len(store.output_index(study.id)), "output"),
        (store.counters(study.id).votes, "vote"),
    )
    return " · ".join(labels.counted(number, noun) for number, noun in held)


def draw_actions() -> None:
    with st.container(horizontal=True):
        st.button(
            "New study",
            type="primary",
            icon=":material/add:",
            on_click=toggle_panel,
            args=("new",),
            key="new",
        )
        st.button(
            "Import a study", icon=":material/upload:", on_click=toggle_panel, args=("import",), key="import"
        )
        st.button(
            "Restore the samples",
            icon=":material/restart_alt:",
            on_click=restore_samples,
            key="restore_samples",
        )
    if st.session_state.get("panel") == "new":
        study_form.create(visit)
    if st.session_state.get("panel") == "import":
        upload.draw(visit, None, [name for name, one in IMPORTERS.items() if one.makes_study], "study")


def draw_study(study: Study, current: Study | None) -> None:
    chosen = " :green-badge[chosen]" if current is not None and study.id == current.id else ""
    with st.container(border=True, key=f"study_{study.id}"):
        left, right = st.columns([3, 2], vertical_alignment="center")
        with left.container(gap="xxsmall"):
            st.markdown(f"**{labels.plain(study.name)}**{chosen}")
            if study.task:
                st.markdown(labels.plain(labels.one_line(study.task, 300)))
            st.caption(counts(study))
        with right.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
            if st.button("Open", key=f"open_{study.id}", on_click=choose, args=(study.id,)):
                st.switch_page("rater/duel.py", query_params={})  # without: bound ones refuse
            st.button("Settings", key=f"settings_{study.id}", on_click=edit, args=(study.id,))
            st.button("Duplicate", key=f"duplicate_{study.id}", on_click=duplicate, args=(study,))
            st.button("Archive", key=f"archive_{study.id}", on_click=archive, args=(study,))
        if st.session_state.get("editing") == study.id:
            study_form.edit(visit, study)


def draw_archived(archived: list[Study]) -> None:
    with st.expander(f"Archived ({len(archived)})", icon=":material/inventory_2:"):
        for study in archived:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(labels.plain(study.name), width="stretch")
                st.button("Bring back", key=f"unarchive_{study.id}", on_click=unarchive, args=(study,))


visit = access.host()
frame.style()
notices.draw()
st.header("Studies", anchor=False)
if not visit.studies:
    st.info("There is no study yet: make one, or begin with a sample.", icon=":material/folder_open:")
draw_actions()

wanted = ""
if len(visit.studies) > SHOWN:
    wanted = (
        st.text_input("Search", key="search", placeholder="Part of a name or task", bind="query-params") or ""
    )
found = [
    study
    for study in reversed(visit.studies)
    if wanted.casefold() in f"{study.name}\n{study.task}".casefold()
]
if wanted and not found:
    st.caption(f"No study holds '{labels.plain(wanted)}'.")
pages = max(1, -(-len(found) // SHOWN))
page = st.pagination(pages, key=f"studies_page_{pages}") if pages > 1 else 1
for study in found[(page - 1) * SHOWN : page * SHOWN]:
    draw_study(study, visit.study())
archived = [study for study in visit.services.store.studies() if study.archived_at is not None]
if archived:
    draw_archived(archived)
