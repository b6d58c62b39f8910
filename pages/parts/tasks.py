"""What workers do: how far it is, what it took, stop and resume. Nothing where the server works itself."""

import streamlit as st

from optimizer.domain import Study
from optimizer.work.nouns import Kind, State, Task
from pages.parts import labels, notices
from pages.parts.access import Visit
from pages.parts.jobs import took

LOOK_EVERY_S = 1.0
SHOWN = 3
SAID = {
    State.QUEUED: "Waiting for a worker",
    State.RUNNING: "At work",
    State.DONE: "Done",
    State.CANCELLED: "Cancelled",
    State.SPENT: "Stopped by the budget",
    State.STOPPED: "Stopped",
}
UNITS = {Kind.GENERATE: "output", Kind.JUDGE: "vote", Kind.EVOLVE: "round"}
UNFINISHED = (State.CANCELLED, State.SPENT, State.STOPPED)


def of_study(visit: Visit, study: Study, kind: Kind) -> list[Task]:
    """The newest ones of a kind."""
    return [task for task in visit.services.work.tasks(study.id) if task.kind is kind][:SHOWN]


def busy(visit: Visit, study: Study, kind: Kind) -> bool:
    """Is one of them not over?"""
    return any(not task.status.state.over for task in of_study(visit, study, kind))


def draw(visit: Visit, study: Study, kind: Kind) -> None:
    """The study's tasks, looked at again every second while one is not over."""
    if not of_study(visit, study, kind):
        return
    was_busy = busy(visit, study, kind)

    def look() -> None:
        now = of_study(visit, study, kind)
        for task in now:
            _draw_task(visit, task)
        if was_busy and all(task.status.state.over for task in now):
            st.rerun()  # the rest of the screen counts what it brought

    st.fragment(look, run_every=LOOK_EVERY_S if was_busy else None, key=f"tasks_{kind}")()


def _draw_task(visit: Visit, task: Task) -> None:
    status = task.status
    with st.container(border=True, key=f"task_{task.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{SAID[status.state]}**{_how_far(task)}", width="stretch")
            if not status.state.over:
                st.button(
                    "Stopping…" if task.cancel else "Cancel",
                    key=f"cancel_{task.id}",
                    icon=":material/stop_circle:",
                    on_click=_cancel,
                    args=(visit, task),
                    disabled=task.cancel,
                )
            elif status.state in UNFINISHED:
                st.button(
                    "Resume",
                    key=f"resume_{task.id}",
                    icon=":material/play_arrow:",
                    on_click=_resume,
                    args=(visit, task),
                )
        if status.state is State.RUNNING and status.total:
            st.progress(min(1.0, (status.done + status.failed) / status.total))
        facts = [took(status.spent)] if status.spent.calls else []
        facts += [f"{status.failed:,} failed"] if status.failed else []
        facts += [status.note] if status.note else []
        if status.state is State.QUEUED:
            facts.append("Start one with: python -m optimizer worker")
        if facts:
            st.caption(labels.plain(" · ".join(facts)))
        if status.error:
            tell = st.error if status.state is State.STOPPED else st.warning
            tell(labels.plain(status.error), icon=":material/error:")


def _how_far(task: Task) -> str:
    status = task.status
    return f": {status.done:,} of {labels.counted(status.total, UNITS[task.kind])}" if status.total else ""


def _cancel(visit: Visit, task: Task) -> None:
    notices.attempt(
        lambda: visit.services.work.cancel(task.id), "It stops after the calls that are under way."
    )


def _resume(visit: Visit, task: Task) -> None:
    notices.attempt(lambda: visit.services.work.resume(task.id), "A worker will go on with it.")
