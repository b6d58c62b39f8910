"""What an automatic run shall do: who judges, how, how much, within which limits; and its cost beforehand."""

from collections.abc import Mapping

import streamlit as st

from optimizer.domain import Connection, Study
from optimizer.errors import PromptDuelError
from optimizer.generation.costs import money_text
from optimizer.judges import JUDGES, MOST_REPEATS, JudgeSettings
from optimizer.judging.estimate import Estimate
from optimizer.judging.plan import Plan, Seat
from optimizer.llm.budget import Budget
from optimizer.work.nouns import Kind
from pages.parts import labels, limits, tasks
from pages.parts.access import Visit

NO_OUTPUTS = "Nothing: only outputs that are there"


def draw(visit: Visit, study: Study, known: Mapping[str, Connection]) -> None:
    """The form, and the button that says what it will take."""
    if not known:
        no_connection()
        return
    _offer_to_go_on(visit, study, known)
    with st.container(border=True, key="judge_plan"):
        left, right = st.columns(2, gap="large")
        with left:
            panel, settings = _who(known)
        with right:
            duels, calibrate, outputs = _how_much(known)
        with st.expander("Limits", icon=":material/payments:", key="judge_limits"):
            budget = limits.fields("judge", Budget())
        advised = st.toggle("Stop when the votes suffice", True, key="judge_advised")
        seats = tuple(Seat(name, settings) for name in panel)
        plan = Plan(
            study.id, seats, duels, calibrate, until_advised=advised, budget=budget, outputs=outputs or None
        )
        _button(visit, study, plan)


def _offer_to_go_on(visit: Visit, study: Study, known: Mapping[str, Connection]) -> None:
    """With the last run of a process that is gone; this one's have a button of their own."""
    judging = visit.services.judging
    known_here = any(run.plan.follow for run in judging.runs(study.id))
    plan = None if known_here or tasks.busy(visit, study, Kind.JUDGE) else judging.latest(study.id)
    if plan is None or not {seat.connection for seat in plan.panel} | {plan.outputs or ""} <= {*known, ""}:
        return
    most = judging.estimate(plan)
    if not most.votes:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="judge_left"):
        who, most_of_it = ", ".join(seat.connection for seat in plan.panel), limits.told(plan.budget)
        told = f"The last run was to end with {plan.duels:,} votes of each judge ({who}), {most_of_it}."
        st.markdown(labels.plain(told), width="stretch")
        st.button(
            labels.plain(f"Go on: {took(most)}"),
            key="judge_go_on",
            icon=":material/play_arrow:",
            help="Limits count from now on.",
            on_click=tasks.start,
            args=(visit, plan),
        )


def no_connection() -> None:
    """What to do first."""
    st.info("To let a model judge, connect to one first.", icon=":material/hub:")
    st.page_link("host/models.py", label="Models", icon=":material/arrow_forward:")


def _who(known: Mapping[str, Connection]) -> tuple[list[str], JudgeSettings]:
    if not set(st.session_state.get("judge_panel", ())) <= set(known):
        st.session_state.pop("judge_panel")
    panel = st.multiselect(
        "Judges",
        list(known),
        key="judge_panel",
        persist_state="session",
        placeholder="Choose a connection",
        help="Each connection is a rater of its own. None of them sees a prompt or its name.",
    )
    mode = st.selectbox(
        "How they are asked", list(JUDGES), format_func=_label, key="judge_mode", persist_state="session"
    )
    st.caption(JUDGES[mode].about)
    repeats = 3
    if JUDGES[mode].answers(2) != JUDGES[mode].answers(1):
        repeats = int(st.number_input("Repeats", 1, MOST_REPEATS, repeats, key="judge_repeats"))
    soft = st.toggle(
        "Ask for the model's own probabilities",
        key="judge_logprobs",
        help="Not every server gives them. They tell close verdicts from clear ones.",
    )
    return panel, JudgeSettings(mode, repeats, logprobs=soft)


def _label(mode: str) -> str:
    return JUDGES[mode].label


def _how_much(known: Mapping[str, Connection]) -> tuple[int, int, str]:
    duels = st.number_input(
        "Votes of each judge, earlier ones included",
        1,
        1_000_000,
        100,
        10,
        key="judge_duels",
        help="A run with the same number goes on where the last one stopped.",
    )
    calibrate = st.number_input(
        "People's duels to judge first",
        0,
        1_000_000,
        20,
        10,
        key="judge_calibrate",
        help="Where both voted, the screen Trust can compare them. It needs ten, better fifty.",
    )
    outputs = st.selectbox(
        "Make missing outputs with",
        ["", *known],
        format_func=lambda name: name or NO_OUTPUTS,
        key="judge_outputs",
    )
    return int(duels), int(calibrate), outputs


def _button(visit: Visit, study: Study, plan: Plan) -> None:
    """The cost is on the button, so nobody spends without having seen it."""
    if not plan.panel:
        st.button("Choose a judge", key="judge_start", disabled=True)
        return
    try:
        most = visit.services.judging.estimate(plan)
    except PromptDuelError as error:
        st.error(labels.plain(str(error)), icon=":material/error:")
        return
    if not most.votes:
        st.success("Every judge has as many votes already.", icon=":material/check:")
        return
    runs = visit.services.judging.runs(plan.study)
    st.button(
        labels.plain(f"Judge: {took(most)}"),
        type="primary",
        key="judge_start",
        icon=":material/gavel:",
        on_click=tasks.start,
        args=(visit, plan, "judge"),
        disabled=any(not run.ended for run in runs) or tasks.busy(visit, study, Kind.JUDGE),
    )
    if most.money is None:
        st.caption("A connection has no prices, so the cost in money cannot be foretold.")


def took(most: Estimate) -> str:
    """'100 votes, at most 200 calls, about 120,000 tokens, about $0.02'."""
    told = f"{labels.counted(most.votes, 'vote')}, at most {labels.counted(most.calls, 'call')}"
    told += f", about {most.tokens:,} tokens"
    return told if most.money is None else f"{told}, about {money_text(most.money)}"
