"""The one place where background generation shows: how far it is, its cost, its errors, a way out."""

import streamlit as st

from optimizer.domain import Study
from optimizer.generation.costs import money_text
from optimizer.generation.job import Progress, Running, State
from optimizer.llm.budget import Spend
from pages.parts import access, labels, notices
from pages.parts.access import Visit

LOOK_EVERY_S = 1.0
SHOWN = 3
SAID = {
    State.RUNNING: "Generating",
    State.DONE: "Done",
    State.CANCELLED: "Cancelled",
    State.SPENT: "Stopped by the budget",
    State.STOPPED: "Stopped",
}

UNFINISHED = (State.CANCELLED, State.SPENT, State.STOPPED)


def of_study(visit: Visit, study: Study) -> list[Running]:
    """The newest jobs that had something to do."""
    jobs = visit.services.generation.jobs(study.id)
    return [job for job in jobs if job.progress().total][:SHOWN]


def busy(visit: Visit, study: Study) -> bool:
    """Is one of them running?"""
    return any(job.progress().state is State.RUNNING for job in of_study(visit, study))


def draw(visit: Visit, study: Study) -> None:
    """The study's jobs, looked at again every second while one runs."""
    was_busy = busy(visit, study)

    def look() -> None:
        for job in of_study(visit, study):
            _draw_job(job)
        if was_busy and not busy(visit, study):
            st.rerun()  # the rest of the screen counts outputs, too

    if of_study(visit, study):
        st.fragment(access.while_host(look), run_every=LOOK_EVERY_S if was_busy else None, key="jobs")()


def took(spent: Spend) -> str:
    """'24 calls, 18,204 tokens, $0.02'."""
    told = f"{labels.counted(spent.calls, 'call')}, {labels.counted(spent.tokens, 'token')}"
    return f"{told}, {money_text(spent.money)}" if spent.money else told


def _draw_job(job: Running) -> None:
    progress = job.progress()
    ahead = " ahead of need" if job.order.cells is not None else ""
    with st.container(border=True, key=f"job_{job.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{SAID[progress.state]}**{ahead}: {progress.done:,} of "
                f"{labels.counted(progress.total, 'output')} by {labels.plain(job.order.connection)}",
                width="stretch",
            )
            if progress.state is State.RUNNING:
                st.button(
                    "Cancel",
                    key=f"cancel_{job.id}",
                    icon=":material/stop_circle:",
                    on_click=notices.do,
                    args=(job.cancel,),
                )
        if progress.state is State.RUNNING:
            st.progress(min(1.0, progress.share))
        st.caption(labels.plain(" · ".join(_facts(progress, bool(ahead)))))
        if progress.state in UNFINISHED and progress.done < progress.total and job.order.cells is None:
            st.caption("Generate again to go on: what is there is not paid for twice.")
        if progress.last_error:
            draw = st.error if progress.state is State.STOPPED else st.warning
            draw(labels.plain(progress.last_error), icon=":material/error:")


def _facts(progress: Progress, whole_study: bool) -> list[str]:
    facts = [f"{took(progress.spent)}{' by this study so far' if whole_study else ''}"]
    if progress.reused:
        facts.append(f"{progress.reused:,} known already")
    if progress.held:
        facts.append(f"{progress.held:,} held back")
    if progress.failed:
        facts.append(f"{progress.failed:,} failed")
    if progress.seconds_left is not None:
        facts.append(f"{progress.per_second:.1f} a second, about {_span(progress.seconds_left)} left")
    return facts


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
