"""The duel: two unnamed outputs on one input, and a key for every answer.

What changes with each vote is drawn by ``screen``, a fragment: a key press redraws that and nothing else.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from optimizer.domain import Grade, Outcome, Study, Vote
from optimizer.errors import DuelClosed, GoalReached, NothingToAsk, PromptDuelError, SessionClosed
from optimizer.pairing import Wanted
from optimizer.workshop import ShownDuel
from pages.parts import (
    access,
    announced,
    cards,
    critic,
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
    tools,
)
from pages.parts.access import Visit

NEXT = "next_moment"  # what the last vote's callback has found for the drawing that follows it
SLIP_MS = 300  # nobody sees a slip of the finger sooner; a held key comes ten times as fast


@dataclass(frozen=True, slots=True)
class Moment:
    """All that the screen shows, read before any of it is drawn."""

    visit: Visit
    study: Study
    vote: Vote | None  # the last one
    found: ShownDuel | Wanted | Vote | PromptDuelError  # a vote to say why of; an error: why nothing is asked
    told: progress.Progress | None
    began: float = 0.0  # when the reading of it began, by time.monotonic


def look(visit: Visit, study: Study) -> Moment:
    """What comes now; asks for the next duel, unless one lies open."""
    began = time.monotonic()
    vote = last_vote.newest(visit, study, rater)
    if vote is not None and st.session_state.get("reviewing"):
        return Moment(visit, study, vote, vote, None)
    try:
        found = live_pair.next_duel(visit, study, rater, announced.kept())
    except (NothingToAsk, SessionClosed) as missing:
        return Moment(visit, study, vote, missing, None)
    return Moment(visit, study, vote, found, progress.read(visit, study), began)


def answer(outcome: Outcome, grade: Grade | None = None) -> None:
    st.session_state.pop(NEXT, None)
    duel = keyguard.on_screen()
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
    if now := access.still_rating():
        st.session_state[NEXT] = look(*now)


def undo_from_pair() -> None:
    """A second press that comes late, or a held key, is not meant for the vote before."""
    least_ms = min(SLIP_MS, visit.services.config.min_view_ms)
    if keyguard.viewed_ms(keyguard.on_screen(), least_ms) is not None:
        undo()


def undo() -> None:
    st.session_state.pop(NEXT, None)
    try:
        visit.services.workshop.undo(study.id, rater.id)
    except PromptDuelError as error:
        frame.keep_message(labels.plain(str(error)))
        return
    st.session_state["reviewing"] = False
    st.session_state.pop("last_vote", None)
    frame.keep_message("Your last vote is withdrawn. Here is its pair again.")


def go_on() -> None:
    st.session_state["reviewing"] = False


Kind = Literal["primary", "secondary", "tertiary"]  # how loud a button is
Answer = tuple[str, str, Outcome, Grade | None, Kind]  # its label and its key first


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


def draw_answers(study: Study, locked: bool = False) -> None:
    """In the order of the screen, each with its key; locked while there is no pair yet.

    They stay while pairs change, for a browser takes long to make new ones; ``keyguard`` knows which pair a
    press was meant for.
    """
    with st.container(horizontal=True, horizontal_alignment="center", key="answers"):
        draw_buttons(ANSWERS, locked)
        st.button("Undo", key="undo", on_click=undo_from_pair, shortcut="U", type="tertiary")
    if study.settings.graded:
        with st.container(horizontal=True, horizontal_alignment="center", key="grades"):
            draw_buttons(GRADED_ANSWERS, locked)


def draw_buttons(answers: Sequence[Answer], locked: bool) -> None:
    for label, key, outcome, grade, kind in answers:
        st.button(
            label,
            key=f"vote_{key}",
            on_click=answer,
            args=(outcome, grade),
            shortcut=key,
            type=kind,
            disabled=locked,
        )


def draw_wanted(wanted: Wanted) -> None:
    """A pair that is being written: the same screen, with the answers locked until both sides are whole."""
    tools.draw_opened(visit, study, rater, None, last_vote.newest(visit, study, rater))
    with st.container(gap="xsmall"):
        variables = visit.services.store.input(wanted.input).variables
        cards.input_card(variables, st.session_state.get("whole_input", False))
        st.caption(":material/lock: The outputs are being written. You can vote when both are complete.")
        slots = live_pair.panes()
    with st.container(key="bar"):
        draw_answers(study, locked=True)
    if live_pair.watch(visit, study, wanted, slots):
        st.rerun()
    live_pair.draw_ways_out(study)


visit, study = access.rating()
rater = visit.rater(study.id)
st.session_state.pop(NEXT, None)  # what interrupted its drawing may have changed it
frame.style()
announced.load()
with st.container(gap="xsmall"):
    cards.heading(study)
    row = st.container()
wanted = live_pair.still_wanted(visit, study, rater)
with row:
    tools.draw_row(visit, study, written=wanted is None)
if wanted is not None:
    notices.draw()
    draw_wanted(wanted)
    st.stop()


def draw_pause(visit: Visit, study: Study, vote: Vote) -> None:
    """The moment after a vote, for raters who say why."""
    last_vote.review(visit, study, rater, vote)
    with st.container(key="bar"), st.container(horizontal=True, horizontal_alignment="center"):
        # Two keys for one thing: a focused chip keeps Ctrl+Enter to itself, a text field keeps letters.
        st.button("Save and go on", on_click=go_on, shortcut="Ctrl+Enter", type="primary", key="go_on")
        st.button("Go on", on_click=go_on, shortcut="G", type="tertiary", key="go_on_too")
        st.button("Undo", on_click=undo, shortcut="U", type="tertiary", key="undo_reviewed")


def draw_none(visit: Visit, study: Study, why: PromptDuelError, vote: Vote | None) -> None:
    """Why there is no duel, and what can be done about it."""
    over = isinstance(why, SessionClosed | GoalReached)
    st.info(labels.plain(str(why)), icon=f":material/{'flag' if over else 'hourglass_empty'}:")
    if visit.session is not None:
        # The slip of a finger may be the vote that reached the goal.
        undoable = isinstance(why, GoalReached) and vote is not None
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

    What is drawn between reads reaches the browser in pieces, and each piece lays the page out anew. So all
    is read first; after a vote by its callback, before the browser hears of the first element.
    """
    now = st.session_state.pop(NEXT, None) or look(*access.rating())
    visit, study, found = now.visit, now.study, now.found
    if isinstance(found, Wanted):
        st.rerun()  # written in a run of the whole page, which a press on Retry may interrupt
    notices.draw()
    if isinstance(found, Vote):
        draw_pause(visit, study, found)
        return
    if isinstance(found, PromptDuelError):
        draw_none(visit, study, found, now.vote)
        return
    tools.draw_opened(visit, study, rater, found, now.vote)
    critic.before_the_vote(visit, study, found.duel.id)
    texts = (found.first.text, found.second.text)
    with st.container(key="asked"):
        cards.input_card(found.variables, st.session_state.get("whole_input", False))
        cards.pair(*texts, output_text.chosen_mode(texts))
    place = st.container(key="announced")
    keyguard.tell(found.duel.id)
    with st.container(key="bar"):
        draw_answers(study)
        progress.draw(visit, now.told, now.vote)
    keyguard.drawn(found.duel.id)
    live_pair.draw_switched_off(study)
    judge_review.draw_next(visit, study, found.duel)
    announced.draw(place, visit, study, found, now.began)


screen()
