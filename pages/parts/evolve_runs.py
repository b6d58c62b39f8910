"""Automatic runs: where they are, the leader's chance, what happened; stop and resume."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from optimizer.domain import Connection, PromptId, Study
from optimizer.evolution.figures import leaders_chance
from optimizer.evolution.offers import open_ones
from optimizer.evolution.record import Phase, Record, State
from optimizer.evolution.service import Seen
from optimizer.llm.budget import Budget
from optimizer.work.nouns import Kind
from pages.parts import access, charts, evolve_plan, jobs, keys, labels, limits, notices, tasks
from pages.parts.access import Visit

LOOK_EVERY_S = 1.0
SHOWN, NEWS = 2, 5
SAID = {
    State.RUNNING: "Interrupted",  # unless somebody is at work on it
    State.DONE: "Done",
    State.ADVISED: "Stopped: no better leader comes",
    State.CANCELLED: "Stopped by you",
    State.SPENT: "Stopped by the budget",
    State.STOPPED: "Stopped by a fault",
}
DOING = {
    Phase.DUELS: "duels",
    Phase.PROPOSE: "proposals are being written",
    Phase.REVIEW: "proposals wait for you, on the tab Propose",
    Phase.GENERATE: "outputs are being made",
}


def draw(visit: Visit, study: Study, known: Mapping[str, Connection]) -> None:
    """What runs, or ran; then the plan of another one."""
    runs = visit.services.evolution.runs(study.id)
    busy = any(seen.alive for seen in runs) or tasks.busy(visit, study, Kind.EVOLVE)
    marks = _marks(runs)

    def look() -> None:
        now = visit.services.evolution.runs(study.id)
        others = _others(visit, study)
        for seen in now[:SHOWN]:
            _draw_run(visit, study, seen, others.get(seen.record.id))
        if _marks(now) != marks:
            st.rerun()  # one began or ended, or waits: the rest of the screen follows

    if busy:
        st.fragment(access.while_host(look), run_every=LOOK_EVERY_S, key="evolve_runs")()
        with st.expander("Another plan", key="evolve_other_plan"):
            evolve_plan.draw(visit, study, known, busy)
        return
    evolve_plan.draw(visit, study, known, busy)
    others = _others(visit, study)
    for seen in runs[:SHOWN]:
        _draw_run(visit, study, seen, others.get(seen.record.id))


def _marks(runs: list[Seen]) -> list[tuple[bool, bool]]:
    return [(seen.alive, seen.record.phase is Phase.REVIEW) for seen in runs[:SHOWN]]


def _others(visit: Visit, study: Study) -> dict[str, bool]:
    """Runs that are stopped and gone on with above, as tasks of workers or on another server: is one at
    work on it?"""
    found = {task.run: not task.status.state.over for task in tasks.of_study(visit, study, Kind.EVOLVE)}
    return {**found, **{one.id: True for one in tasks.elsewhere(visit, study, Kind.EVOLVE)}}


def _draw_run(visit: Visit, study: Study, seen: Seen, other: bool | None) -> None:
    """``other``: whether a worker or another server is at work on it; None where that is not their run."""
    record = seen.record
    going = seen.alive or other is True
    with st.container(border=True, key=f"evolution_{record.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            state = "Evolving" if going else SAID[record.state]
            st.markdown(f"**{state}**: {_where(visit, study, record, going)}", width="stretch")
            if seen.alive:
                st.button(
                    "Stop",
                    key=f"stop_{record.id}",
                    icon=":material/stop_circle:",
                    on_click=notices.do,
                    args=(lambda: visit.services.evolution.cancel(record.id),),
                )
            elif other is None and not record.state.finished:
                spent = record.state is State.SPENT
                label = "The most that this run may take in all; empty: no limit."
                limits.resume(record.id, record.plan.budget, spent, partial(_resume, visit, record.id), label)
        share = record.round / record.plan.rounds
        st.progress(1.0 if record.state is State.DONE else min(0.99, share))
        st.caption(
            f"{labels.plain(jobs.took(record.spent))} · {labels.plain(limits.told(record.plan.budget))}"
        )
        if record.error:
            st.error(labels.plain(record.error), icon=":material/error:")
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _chart(visit, study, record)
        with right:
            for news in reversed(record.news[-NEWS:]):
                st.caption(f"**Round {news.round}** {labels.plain(news.text)}")


def _where(visit: Visit, study: Study, record: Record, going: bool) -> str:
    """'round 2 of 5, duels: 12 of 40 votes'."""
    told = f"round {record.round} of {record.plan.rounds}"
    if not going:
        return told
    told += f", {DOING[record.phase]}"
    if record.phase is Phase.DUELS and record.points:
        cast = max(0, record.points[-1].votes - record.votes_before)
        told += f": {cast:,} of {labels.counted(record.plan.round_votes, 'vote')}"
    if record.phase is Phase.REVIEW:
        waiting = open_ones(visit.services.evolution.offers.all(study.id, record.id, record.round))
        told += f": {len(waiting)}"
    return told


def _chart(visit: Visit, study: Study, record: Record) -> None:
    """The leader's chance to beat the first prompt, live."""
    if len(record.points) < 2:
        st.caption("The chart begins with the second vote that counts.")
        return
    names: dict[PromptId, str] = {one.id: one.name for one in visit.services.store.prompts(study.id)}
    first = labels.plain(names.get(record.first, "the first prompt"))
    st.markdown(f"**The leader's chance to beat {first}**, with its 90 % interval")
    st.plotly_chart(
        leaders_chance(record.points, names),
        key=f"chance_{record.id}",
        config={**charts.CONFIG, **charts.file_name("evolution")},
    )


def _resume(visit: Visit, run: str, budget: Budget | None) -> None:
    notices.attempt(
        lambda: visit.services.evolution.resume(run, keys.typed(visit), budget), "The run goes on."
    )
