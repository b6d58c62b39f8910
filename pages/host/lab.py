"""Lab: the study's own situation, simulated, to compare selectors and to plan how many votes it takes."""

from dataclasses import replace

import streamlit as st

from optimizer.domain import Study
from optimizer.lab import Experiment, State
from optimizer.lab.situation import (
    MOST_ARMS,
    MOST_RUNS,
    MOST_VOTES,
    POINTS,
    SIMULABLE,
    Situation,
    chance_of_better,
    votes_needed,
)
from pages.parts import access, charts, frame, lab_charts, labels, notices
from pages.parts.access import Visit

LOOK_EVERY_S = 1.0
LEVELS = (0.8, 0.9, 0.95)
SAID = {State.DONE: "Done", State.CANCELLED: "Cancelled", State.FAILED: "Failed", State.RUNNING: "Simulating"}


def draw_form(suggested: Situation) -> Situation:
    """What is simulated; starts with what the study shows."""
    left, middle, right = st.columns(3, gap="large")
    with left:
        arms = st.number_input("Prompts", 2, MOST_ARMS, suggested.arms, key="lab_arms")
        spread = st.slider(
            "How far the prompts differ", 0.1, 3.0, suggested.spread, 0.1, key="lab_spread",
            help="Standard deviation of their strengths, in logits.",
        )  # fmt: skip
        st.caption(f"The better of two prompts wins {100 * chance_of_better(spread):.0f} % of their duels.")
        inputs = st.number_input("Inputs", 1, 1000, suggested.inputs, key="lab_inputs")
    with middle:
        noise = st.slider("Votes given at random, %", 0, 60, round(100 * suggested.noise), 5, key="lab_noise")
        ties = st.slider("Ties between equal prompts, %", 0, 80, round(100 * suggested.ties), key="lab_ties")
        moves = st.slider(
            "How much the winner depends on the input", 0.0, 2.0, suggested.input_sd, 0.1, key="lab_moves",
            help="Standard deviation of what an input adds to a prompt's strength, in logits.",
        )  # fmt: skip
    with right:
        votes = st.number_input("Budget, votes", POINTS, MOST_VOTES, suggested.votes, 10, key="lab_votes")
        runs = st.number_input(
            "Runs", 10, MOST_RUNS, suggested.runs, 10, key="lab_runs", help="More runs, smaller errors."
        )
        selectors = st.multiselect("Selectors", SIMULABLE, list(suggested.selectors), key="lab_selectors")
    return replace(
        suggested,
        arms=int(arms),
        spread=float(spread),
        noise=noise / 100,
        ties=ties / 100,
        inputs=int(inputs),
        input_sd=float(moves),
        votes=int(votes),
        runs=int(runs),
        selectors=tuple(selectors),
    )


def draw_experiments(visit: Visit, study: Study) -> None:
    """The newest simulation: its progress while it runs, then what it found."""
    known = visit.services.lab.experiments(study.id)
    if not known:
        return
    newest = known[0]
    was_running = not newest.ended.is_set()

    def look() -> None:
        draw_progress(newest)
        if was_running and newest.ended.is_set():
            st.rerun()

    st.fragment(
        access.while_host(look), run_every=LOOK_EVERY_S if was_running else None, key="lab_progress"
    )()
    if newest.state is State.DONE:
        draw_results(newest)


def draw_progress(experiment: Experiment) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{SAID[experiment.state]}**: {experiment.done:,} of {labels.counted(experiment.total, 'run')}",
            width="stretch",
        )
        if not experiment.ended.is_set():
            st.button(
                "Cancel",
                key="lab_cancel",
                icon=":material/stop_circle:",
                on_click=notices.do,
                args=(experiment.cancel,),
            )
    if not experiment.ended.is_set():
        st.progress(min(1.0, experiment.done / max(1, experiment.total)))
    if experiment.error:
        st.error(labels.plain(experiment.error), icon=":material/error:")


def draw_results(experiment: Experiment) -> None:
    chosen, results = experiment.situation, experiment.results
    st.caption(
        f"Simulated: {chosen.arms} prompts, spread {chosen.spread:g}, {100 * chosen.noise:.0f} % of the "
        f"votes at random, {labels.counted(chosen.inputs, 'input')}, {labels.counted(chosen.runs, 'run')}. "
        "Bars are standard errors."
    )
    first = results[0]
    marks = [(level, votes_needed(first, level)) for level in LEVELS]
    st.subheader("How many votes will I need?", anchor=False)
    told = [
        f"**{level:.0%}**: "
        f"{'about ' + format(votes, '.0f') + ' votes' if votes else 'more than ' + str(chosen.votes)}"
        for level, votes in marks
    ]
    st.markdown(f"With {labels.plain(first.selector)}, to find the best prompt with " + ", ".join(told))
    show(lab_charts.planning(first, chosen.runs, marks), "planning")
    st.subheader("Selectors compared", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        show(lab_charts.found(results, chosen.runs), "found")
    with right:
        show(lab_charts.regret(results), "regret")
    with st.expander("What was lost on the way"):
        show(lab_charts.cost(results), "cost")


def show(figure: charts.go.Figure, name: str) -> None:
    st.plotly_chart(figure, key=f"lab_{name}", config={**charts.CONFIG, **charts.file_name(f"lab-{name}")})


def start(situation: Situation) -> None:
    notices.attempt(lambda: visit.services.lab.start(study.id, situation), "The simulation is under way.")


visit, study = access.enter()
frame.style()
notices.draw()
st.header("Lab", anchor=False)
st.info(
    "Everything on this screen is simulated: invented prompts, invented votes, no model called, nothing "
    "stored. "
    "It starts from what this study shows of its prompts and raters.",
    icon=":material/science:",
)
situation = draw_form(visit.services.lab.suggested(study))
running = any(not known.ended.is_set() for known in visit.services.lab.experiments(study.id))
idle = not running and situation.selectors
# Not a callback: its arguments would be what the fields held before their last change.
if st.button("Simulate", key="lab_start", type="primary", icon=":material/play_arrow:", disabled=not idle):
    start(situation)
    st.rerun()
draw_experiments(visit, study)
