"""Proposals on request: what to ask for, its cost on the button, how far it is."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from optimizer.domain import Connection, Study
from optimizer.errors import NothingToPropose, PromptDuelError
from optimizer.evolution import Evolution
from optimizer.evolution.figures import dial_response
from optimizer.evolution.plan import Order, Votes
from optimizer.evolution.proposing import Estimate, Proposing, State
from optimizer.generation.costs import money_text
from optimizer.llm.budget import Budget
from optimizer.proposers import PROPOSERS
from optimizer.proposers.base import MOST_PROPOSALS
from pages.parts import access, charts, evolve_choice, jobs, keys, labels, limits, notices
from pages.parts.access import Visit

LOOK_EVERY_S = 1.0
WHOSE = {Votes.BOTH: "People and judges", Votes.PEOPLE: "People alone", Votes.JUDGES: "Judges alone"}
SAID = {
    State.RUNNING: "Proposing",
    State.DONE: "Done",
    State.CANCELLED: "Cancelled",
    State.SPENT: "Stopped by the budget",
    State.STOPPED: "Stopped",
}


def draw(visit: Visit, study: Study, known: Mapping[str, Connection]) -> None:
    """The form; opening it calls and costs nothing."""
    with st.container(border=True, key="evolve_form"):
        left, right = st.columns(2, gap="large")
        with left:
            name = evolve_choice.proposer("evolve")
        with right:
            writer = ""
            if PROPOSERS[name].needs_model:
                writer = evolve_choice.connection("Written by", "evolve_writer", known)
            count = 1
            one, other = st.columns(2)
            if PROPOSERS[name].needs_model:
                count = int(one.number_input("Proposals", 1, MOST_PROPOSALS, 3, key="evolve_count"))
            whose = other.selectbox(
                "Going by the votes of", list(WHOSE), format_func=lambda key: WHOSE[key], key="evolve_whose"
            )
        dial = evolve_choice.dial("evolve") if name == "control" else None
        budget = Budget()
        if PROPOSERS[name].needs_model:
            with st.expander("Limits", icon=":material/payments:", key="evolve_limits"):
                budget = limits.fields("evolve", budget, "The most this may take")
        order = Order(study.id, name, writer, count, whose, budget, dial)
        if PROPOSERS[name].needs_model and not known:
            evolve_choice.no_connection()
        else:
            _button(visit, order)
        if dial is not None:
            _response(visit, order)
    _jobs(visit, study)


def _button(visit: Visit, order: Order) -> None:
    """The cost is on the button, so nobody spends without having seen it."""
    try:
        most = _estimate(visit.services.evolution, order, _state(visit, order))
    except NothingToPropose as error:
        st.info(labels.plain(str(error)), icon=":material/info:")
        return
    except PromptDuelError as error:
        st.error(labels.plain(str(error)), icon=":material/error:")
        return
    st.button(
        labels.plain(f"Propose {took(most)}"),
        type="primary",
        key="evolve_start",
        icon=":material/auto_awesome:",
        on_click=_start,
        args=(visit, order),
        disabled=any(not job.ended for job in visit.services.evolution.jobs(order.study)),
    )
    if most.money is None:
        st.caption("The connection has no prices, so the cost in money cannot be foretold.")


def took(most: Estimate) -> str:
    """'3 prompts: 3 calls, about 4,200 tokens, about $0.02'."""
    told = labels.counted(most.proposals, "prompt")
    if not most.calls:
        return f"{told}: no call"
    told += f": {labels.counted(most.calls, 'call')}, about {round(most.tokens, -2):,} tokens"
    return told if most.money is None else f"{told}, about {money_text(most.money)}"


def _start(visit: Visit, order: Order) -> None:
    """A limit that was typed just before the press holds, though the button was drawn without it."""
    limited = replace(order, budget=limits.typed("evolve")) if order.connection else order
    notices.attempt(lambda: visit.services.evolution.propose(limited, keys.typed(visit)), "Under way.")


def _state(visit: Visit, order: Order) -> tuple[int, int, int]:
    """Changes when anything that a brief holds has changed."""
    counters = visit.services.store.counters(order.study)
    offers = len(visit.services.store.documents.all("proposal", order.study))
    return counters.content_version, counters.vote_version, offers


@st.cache_data(max_entries=64, show_spinner=False)
def _estimate(_evolution: Evolution, order: Order, state: tuple[int, int, int]) -> Estimate:
    """What the order would take, worked out once per state of the study."""
    return _evolution.estimate(order)


def _response(visit: Visit, order: Order) -> None:
    """The measured response against the set point, once there is one."""
    readings = visit.services.evolution.readings(order)
    if not readings or order.dial is None:
        return
    st.plotly_chart(
        dial_response(readings, order.dial),
        key="dial_chart",
        config={**charts.CONFIG, **charts.file_name("dial")},
    )
    st.caption(
        "Measured on the outputs of each step, with the standard error. That outputs meet a set point does "
        "not make them better: the votes say that."
    )


def _jobs(visit: Visit, study: Study) -> None:
    """The newest order, looked at again every second while it is at work."""
    known = visit.services.evolution.jobs(study.id)
    if not known:
        return
    job = known[0]
    busy, offered = not job.ended, job.progress().offered

    def look() -> None:
        _draw_job(job)
        if busy and (job.ended or job.progress().offered != offered):
            st.rerun()  # its cards stand below

    st.fragment(access.while_host(look), run_every=LOOK_EVERY_S if busy else None, key="evolve_job")()


def _draw_job(job: Proposing) -> None:
    progress = job.progress()
    with st.container(border=True, key=f"proposing_{job.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            wanted = labels.counted(progress.wanted, "proposal")
            spent = labels.plain(jobs.took(progress.spent))
            st.markdown(
                f"**{SAID[progress.state]}**: {progress.offered:,} of {wanted} · {spent}", width="stretch"
            )
            if progress.state is State.RUNNING:
                st.button(
                    "Cancel",
                    key=f"cancel_{job.id}",
                    icon=":material/stop_circle:",
                    on_click=notices.do,
                    args=(job.cancel,),
                )
        if progress.last_error:
            st.error(labels.plain(progress.last_error), icon=":material/error:")
