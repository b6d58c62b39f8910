"""The automatic run's plan: who proposes, who votes, how long, within which limits."""

from collections.abc import Mapping
from dataclasses import fields

import streamlit as st

from optimizer.domain import Connection, Study
from optimizer.errors import PromptDuelError
from optimizer.evolution.plan import Plan, Votes
from optimizer.judges import JUDGES, JudgeSettings
from optimizer.judging.plan import Seat
from optimizer.llm.budget import Budget
from optimizer.proposers import PROPOSERS
from pages.parts import evolve_choice, labels, limits, tasks
from pages.parts.access import Visit
from pages.parts.evolve_propose import WHOSE

AS_PEOPLE_VOTE = "Nothing: outputs are made as people vote"
USUAL: dict[str, int] = {one.name: one.default for one in fields(Plan) if isinstance(one.default, int)}


def draw(visit: Visit, study: Study, known: Mapping[str, Connection], busy: bool) -> None:
    """The form, and the button that begins the run."""
    with st.container(border=True, key="evolve_plan"):
        left, right = st.columns(2, gap="large")
        with left:
            name = evolve_choice.proposer("loop")
            writer = ""
            if PROPOSERS[name].needs_model:
                writer = evolve_choice.connection("Written by", "loop_writer", known)
            outputs = st.selectbox(
                "Outputs by",
                ["", *known],
                1 if known else 0,
                format_func=lambda key: key or AS_PEOPLE_VOTE,
                key="loop_outputs",
                help="New prompts need outputs before they can be voted on.",
            )
        with right:
            votes = st.selectbox(
                "Votes of", list(WHOSE), 2, format_func=lambda key: WHOSE[key], key="loop_whose"
            )
            seats: tuple[Seat, ...] = ()
            if votes is not Votes.PEOPLE:
                seats = _seats(known)
            rounds, per_round, children = _sizes()
        dial = evolve_choice.dial("loop") if name == "control" else None
        with st.expander("More, and limits", icon=":material/tune:", key="loop_more"):
            most, inputs, patience = _more()
            budget = limits.fields("loop", Budget(), "The most that the run may take, all in all")
        automatic = st.toggle(
            "Accept proposals unseen when they pass every check",
            key="loop_automatic",
            help="Off: the run waits for you after each round of proposals.",
        )
        plan = Plan(
            study.id, name, writer, seats, outputs, votes, rounds, per_round, children, automatic, most,
            inputs, patience, budget=budget, dial=dial,
        )  # fmt: skip
        _button(visit, plan, busy)


def _seats(known: Mapping[str, Connection]) -> tuple[Seat, ...]:
    if not set(st.session_state.get("loop_judges", ())) <= set(known):
        st.session_state.pop("loop_judges")
    panel = st.multiselect(
        "Judges", list(known), key="loop_judges", persist_state="session", placeholder="Choose a connection"
    )
    mode = st.selectbox(
        "How they are asked", list(JUDGES), format_func=lambda key: JUDGES[key].label, key="loop_mode"
    )
    return tuple(Seat(name, JudgeSettings(mode)) for name in panel)


def _sizes() -> tuple[int, int, int]:
    one, two, three = st.columns(3)
    return (
        int(one.number_input("Rounds", 1, 100, USUAL["rounds"], key="loop_rounds")),
        int(
            two.number_input(
                "Votes a round", 1, 100_000, USUAL["round_votes"], key="loop_votes",
                help="At most: a round ends early when the leader is clear, or the pool is weak.",
            )
        ),
        int(three.number_input("Proposals a round", 1, 20, USUAL["children"], key="loop_children")),
    )  # fmt: skip


def _more() -> tuple[int, int, int]:
    one, two, three = st.columns(3)
    return (
        int(
            one.number_input(
                "Prompts in use, at most", 3, 1000, USUAL["most_prompts"], key="loop_pool",
                help="Who is almost surely not best is retired, with a note; you can bring it back.",
            )
        ),
        int(two.number_input("Inputs for a new prompt", 1, 1000, USUAL["child_inputs"], key="loop_inputs")),
        int(
            three.number_input(
                "Stop after rounds without a new leader", 0, 100, USUAL["patience"], key="loop_patience",
                help="0: play all rounds.",
            )
        ),
    )  # fmt: skip


def _button(visit: Visit, plan: Plan, busy: bool) -> None:
    """What is wrong with the plan, or the button with the most that it takes."""
    try:
        plan.check()
    except PromptDuelError as error:
        st.button(labels.plain(str(error)), key="loop_start", disabled=True)
        return
    st.button(
        labels.plain(f"Evolve: {told(plan)}"),
        type="primary",
        key="loop_start",
        icon=":material/autorenew:",
        on_click=tasks.start,
        args=(visit, plan, "loop"),
        disabled=busy,
    )


def told(plan: Plan) -> str:
    """'3 rounds: up to 9 proposals, 48 votes, 72 outputs, 177 calls; at most 500 calls'."""
    proposals, votes = plan.rounds * plan.children, (plan.rounds + 1) * plan.round_votes
    parts = [f"up to {labels.counted(proposals, 'proposal')}", labels.counted(votes, "vote")]
    if plan.outputs:
        parts.append(labels.counted(proposals * plan.child_inputs, "output"))
    parts.append(f"about {labels.counted(_calls(plan, proposals, votes), 'call')}")
    return f"{labels.counted(plan.rounds, 'round')}: {', '.join(parts)}; {limits.told(plan.budget)}"


def _calls(plan: Plan, proposals: int, votes: int) -> int:
    """The most that the plan asks of models, but for answers that cannot be read and are asked for again."""
    each = max((JUDGES[one.settings.mode].answers(one.settings.repeats) for one in plan.judges), default=0)
    written = proposals if PROPOSERS[plan.proposer].needs_model else 0
    return written + votes * each + (proposals * plan.child_inputs if plan.outputs else 0)
