"""The duel: two unnamed outputs on one input, and a key for every answer.

What changes with each vote is drawn by ``screen``, a fragment: a key press redraws that and nothing else.
"""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from optimizer.domain import DuelId, Grade, Outcome, Study, Vote
from optimizer.errors import DuelClosed, GoalReached, NothingToAsk, PromptDuelError, SessionClosed
from optimizer.pairing import Wanted
from optimizer.workshop import ShownDuel
from pages.parts import (
    access,
    cards,
    critic,
    diff,
    frame,
    judge_review,
    keyguard,
    labels,
    last_vote,
    live_pair,
    notices,
    output_text,
    progress,
    seat,
)
from pages.parts.access import Visit

HELP = """
| Key | | Key | |
|---|---|---|---|
| **A** | left is better | **1** | left is clearly better |
| **B** | right is better | **2** | left is slightly better |
| **T** | both are good | **3** | about equal (both good) |
| **N** | both are bad | **4** | right is slightly better |
| **S** | skip this pair | **5** | right is clearly better |
| **U** | undo the last vote | **D** | what differs between the outputs |
| **E** | why this pair? | **M** | Markdown or raw text |
| **I** | the whole input | **P** | stop after each vote to say why |
| **Y** | copy the outputs | **H** | this help |

The sides are drawn at random for each pair. Plain keys are ignored while you type in a field.
"""


def answer(duel: DuelId, outcome: Outcome, grade: Grade | None = None) -> None:
    seen_ms = keyguard.viewed_ms(duel, visit.services.config.min_view_ms)
    if seen_ms is None:
        return
    try:
        cast = visit.services.workshop.record_vote(duel, rater.id, outcome, grade, seen_ms)
    except DuelClosed:
        frame.keep_message("That vote does not count: the pair waited for too long and went back.")
        return
    except SessionClosed:
        frame.keep_message("That vote does not count: it came after the end of the session.")
        return
    except PromptDuelError as error:
        frame.keep_message(labels.plain(str(error)))
        return
    st.session_state["last_vote"] = cast.id
    st.session_state["reviewing"] = bool(st.session_state.get("pause")) and outcome is not Outcome.SKIP


def undo() -> None:
    try:
        visit.services.workshop.undo(study.id, rater.id)
    except PromptDuelError as error:
        frame.keep_message(labels.plain(str(error)))
        return
    st.session_state["reviewing"] = False
    st.session_state.pop("last_vote", None)
    frame.keep_message("Your last vote is withdrawn. Here is its pair again.")


def flip(name: str) -> None:
    st.session_state[name] = not st.session_state.get(name, False)


def go_on() -> None:
    st.session_state["reviewing"] = False


Kind = Literal["primary", "secondary", "tertiary"]  # how loud a button is
Answer = tuple[str, str, Outcome, Grade | None, Kind]  # its label and its key first

TOOLS = (
    ("Whole input", "I", "whole_input"),
    ("Why this pair?", "E", "show_why"),
    ("Differences", "D", "show_diff"),
    ("Markdown or raw", "M", "show_raw"),
    ("Copy", "Y", "show_copy"),
    ("Say why after each vote", "P", "pause"),
    ("Keys", "H", "show_help"),
)
RATERS_TOOLS = tuple(tool for tool in TOOLS if tool[2] != "show_why")  # it tells a little of the standings


def draw_tools() -> None:
    """The row above the pair."""
    with st.container(horizontal=True, key="duel_tools", vertical_alignment="center"):
        for label, key, name in TOOLS if visit.session is None else RATERS_TOOLS:
            kind: Kind = "secondary" if st.session_state.get(name) else "tertiary"
            st.button(label, key=f"tool_{key}", on_click=flip, args=(name,), shortcut=key, type=kind)


def draw_asides(shown: ShownDuel) -> None:
    """What the tools open, above the pair: below it, nobody would see that something has opened."""
    wanted = {
        name for name in ("show_help", "show_why", "show_diff", "show_copy") if st.session_state.get(name)
    }
    if visit.session is not None:
        wanted.discard("show_why")
    if not wanted:
        return
    with st.container(key="asides"):
        if "show_help" in wanted:
            st.markdown(HELP)
        if "show_why" in wanted:
            st.info(cards.why(shown.duel), icon=":material/psychology_alt:")
        if "show_diff" in wanted:
            diff.draw(shown.first.text, shown.second.text, "A", "B")
        if "show_copy" in wanted:
            cards.copies(shown.first.text, shown.second.text)


def chosen_mode(shown: ShownDuel) -> str:
    """How both outputs are drawn."""
    fitting = output_text.fitting_mode((shown.first.text, shown.second.text))
    if not st.session_state.get("show_raw"):
        return fitting
    return output_text.CODE if fitting == output_text.RAW else output_text.RAW


ANSWERS: tuple[Answer, ...] = (
    ("A is better", "A", Outcome.FIRST, None, "primary"),
    ("Both good", "T", Outcome.BOTH_GOOD, None, "secondary"),
    ("Both bad", "N", Outcome.BOTH_BAD, None, "secondary"),
    ("B is better", "B", Outcome.SECOND, None, "primary"),
    ("Skip", "S", Outcome.SKIP, None, "tertiary"),
)
GRADED_ANSWERS: tuple[Answer, ...] = (
    ("A clearly", "1", Outcome.FIRST, Grade.CLEARLY, "tertiary"),
    ("A slightly", "2", Outcome.FIRST, Grade.SLIGHTLY, "tertiary"),
    ("Equal", "3", Outcome.BOTH_GOOD, None, "tertiary"),
    ("B slightly", "4", Outcome.SECOND, Grade.SLIGHTLY, "tertiary"),
    ("B clearly", "5", Outcome.SECOND, Grade.CLEARLY, "tertiary"),
)


def draw_answers(duel: DuelId | None) -> None:
    """In the order of the screen, each with its key; locked while there is no duel yet."""
    with st.container(horizontal=True, horizontal_alignment="center", key="answers"):
        draw_buttons(duel, ANSWERS)
        st.button("Undo", key=f"undo_{duel}", on_click=undo, shortcut="U", type="tertiary")


def draw_grades(duel: DuelId | None, study: Study) -> None:
    """How clearly, where the study asks for that."""
    if study.settings.graded:
        with st.container(horizontal=True, horizontal_alignment="center", key="grades"):
            draw_buttons(duel, GRADED_ANSWERS)


def draw_buttons(duel: DuelId | None, answers: Sequence[Answer]) -> None:
    for label, key, outcome, grade, kind in answers:
        # The key holds the duel, so that a late press of the last pair is not one of this.
        st.button(
            label,
            key=f"vote_{key}_{duel}" if duel else f"locked_{key}",
            on_click=answer,
            args=(duel, outcome, grade),
            shortcut=key,
            type=kind,
            disabled=duel is None,
        )


def draw_wanted(wanted: Wanted) -> None:
    """A pair that is being written: the same screen, with the answers locked until both sides are whole."""
    with st.container(gap="xsmall"):
        variables = visit.services.store.input(wanted.input).variables
        cards.input_card(variables, st.session_state.get("whole_input", False))
        st.caption(":material/lock: The outputs are being written. You can vote when both are complete.")
        slots = live_pair.panes()
    with st.container(key="bar"):
        draw_answers(None)
        draw_grades(None, study)
    last_vote.strip(visit, study, rater, last_vote.newest(visit, rater))
    if live_pair.watch(visit, study, wanted, slots):
        st.rerun()
    live_pair.draw_ways_out(study)


visit, study = access.rating()
rater = visit.rater(study.id)
frame.style()
with st.container(gap="xsmall"):
    cards.heading(study)
    tools = st.container()
wanted = live_pair.still_wanted(visit, study, rater)
if wanted is not None:
    notices.draw()
    draw_wanted(wanted)
    st.stop()
with tools:
    draw_tools()


def draw_pause(visit: Visit, study: Study, vote: Vote) -> None:
    """The moment after a vote, for raters who say why."""
    last_vote.review(visit, study, rater, vote)
    with st.container(key="bar"), st.container(horizontal=True, horizontal_alignment="center"):
        # Two keys for one thing: a focused chip keeps Ctrl+Enter to itself, a text field keeps letters.
        st.button("Save and go on", on_click=go_on, shortcut="Ctrl+Enter", type="primary", key="go_on")
        st.button("Go on", on_click=go_on, shortcut="G", type="tertiary", key="go_on_too")
        st.button("Undo", on_click=undo, shortcut="U", type="tertiary", key="undo_reviewed")


def draw_none(visit: Visit, study: Study, why: PromptDuelError) -> None:
    """Why there is no duel, and what can be done about it."""
    over = isinstance(why, SessionClosed | GoalReached)
    st.info(labels.plain(str(why)), icon=f":material/{'flag' if over else 'hourglass_empty'}:")
    if visit.session is not None:
        # The slip of a finger may be the vote that reached the goal.
        undoable = isinstance(why, GoalReached) and last_vote.newest(visit, rater) is not None
        seat.draw_end(visit, undo if undoable else None)
        return
    live_pair.draw_switched_off(study)
    with st.container(horizontal=True):
        st.page_link("host/prompts.py", label="Prompts", icon=":material/edit_note:")
        st.page_link("host/inputs.py", label="Inputs", icon=":material/table_rows:")
        st.page_link("host/outputs.py", label="Outputs", icon=":material/grid_view:")


@st.fragment
def screen() -> None:
    """One duel, or the pause after one.

    What is drawn between reads reaches the browser in pieces, and each piece lays the page out anew. So what
    the pair needs is read before anything is drawn, and the pair with its answers makes the first piece.
    """
    visit, study = access.rating()  # the study may have been changed since the page was opened
    vote = last_vote.newest(visit, rater)
    if vote is not None and vote.study == study.id and st.session_state.get("reviewing"):
        notices.draw()
        draw_pause(visit, study, vote)
        return
    try:
        shown = live_pair.next_duel(visit, study, rater)
    except (NothingToAsk, SessionClosed) as missing:
        notices.draw()
        draw_none(visit, study, missing)
        return
    if isinstance(shown, Wanted):
        st.rerun()  # written in a run of the whole page, which a press on Retry may interrupt
    notices.draw()
    draw_asides(shown)
    critic.before_the_vote(visit, study, shown.duel.id)
    cards.input_card(shown.variables, st.session_state.get("whole_input", False))
    cards.pair(shown.first.text, shown.second.text, chosen_mode(shown))
    bar = st.container(key="bar")
    with bar:
        draw_answers(shown.duel.id)
    told = progress.read(visit, study)  # the pair and its answers are on their way meanwhile
    with bar:
        draw_grades(shown.duel.id, study)
        progress.draw(visit, told)
    keyguard.drawn(shown.duel.id)
    live_pair.draw_switched_off(study)
    judge_review.draw_next(visit, study, shown.duel)
    last_vote.strip(visit, study, rater, vote)


screen()
