"""Starting long work; and what workers and other servers do of it: how far it is, what it took, stop and
resume. Of what this server does itself, nothing."""

from dataclasses import replace
from functools import partial

import streamlit as st

from optimizer.domain import Study
from optimizer.llm.budget import Budget
from optimizer.work.elsewhere import AtWork
from optimizer.work.nouns import Kind, State, Task, What
from pages.parts import access, keys, labels, limits, notices
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


def start(visit: Visit, what: What, limit: str = "") -> None:
    """Have it done; for callbacks. ``limit`` is the prefix of its fields of ``limits``: what was typed just
    before the press holds, though the button was drawn without it."""
    limited = replace(what, budget=limits.typed(limit)) if limit else what
    notices.attempt(lambda: visit.services.work.submit(limited, keys.typed(visit)))


def of_study(visit: Visit, study: Study, kind: Kind) -> list[Task]:
    """The newest ones of a kind."""
    return [task for task in visit.services.work.tasks(study.id) if task.kind is kind][:SHOWN]


def elsewhere(visit: Visit, study: Study, kind: Kind) -> list[AtWork]:
    """What other servers do, without a queue or with a key that was typed there."""
    return visit.services.elsewhere.runs(study.id, kind)


def busy(visit: Visit, study: Study, kind: Kind) -> bool:
    """Is one of them not over?"""
    tasks = of_study(visit, study, kind)
    return any(not task.status.state.over for task in tasks) or bool(elsewhere(visit, study, kind))


def draw(visit: Visit, study: Study, kind: Kind) -> None:
    """The study's tasks, looked at again every second while one is not over."""
    was_busy = busy(visit, study, kind)
    if not was_busy and not of_study(visit, study, kind):
        return

    def look() -> None:
        for one in elsewhere(visit, study, kind):
            _draw_elsewhere(visit, one)
        for task in of_study(visit, study, kind):
            _draw_task(visit, task)
        if was_busy is not busy(visit, study, kind):
            st.rerun()  # one began or ended: the rest of the screen, and how often to look, follow

    st.fragment(access.while_host(look), run_every=LOOK_EVERY_S if was_busy else None, key=f"tasks_{kind}")()


def _draw_elsewhere(visit: Visit, one: AtWork) -> None:
    with st.container(border=True, key=f"elsewhere_{one.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            far = f"{one.done:,} of {labels.counted(one.total, UNITS[one.kind])}"
            st.markdown(f"**At work on another server**: {far}", width="stretch")
            st.button(
                "Stop",
                key=f"stop_elsewhere_{one.id}",
                icon=":material/stop_circle:",
                on_click=_stop_elsewhere,
                args=(visit, one),
            )
        st.caption(f"Since {labels.local_time(one.since):%H:%M}. It ends when that server does.")


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
                spent, label = status.state is State.SPENT, "The most that this may take in all"
                limits.resume(task.id, task.what.budget, spent, partial(_resume, visit, task), label)
        if status.state is State.RUNNING and status.total:
            st.progress(min(1.0, (status.done + status.failed) / status.total))
        facts = [took(status.spent)] if status.spent.calls else []
        facts += [f"{status.failed:,} failed"] if status.failed else []
        if status.state is State.QUEUED:
            facts.append("Start one with: python -m optimizer worker")
        elif status.note:
            facts.append(status.note)
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


def _stop_elsewhere(visit: Visit, one: AtWork) -> None:
    notices.attempt(lambda: visit.services.elsewhere.stop(one), "It stops within a few seconds.")


def _resume(visit: Visit, task: Task, budget: Budget | None) -> None:
    notices.attempt(lambda: visit.services.work.resume(task.id, budget), "A worker will go on with it.")
