"""What a rater in a session sees around their duels: the line under the answers, and the end."""

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from optimizer.domain import utc_now
from optimizer.sessions import Goal, Reveal
from pages.parts import labels
from pages.parts.access import Visit

SOON = timedelta(seconds=90)  # from here on the time that is left is told in seconds
LOOK_S, LOOK_SOON_S = 30, 5  # how often it is told anew


def draw_line(visit: Visit, said: str) -> None:
    """How far the session is; with a time limit it moves, and the end comes, without a press. What was
    ``said`` last stands first."""
    assert visit.session is not None
    left = visit.session.left(utc_now())
    if left is None:
        _draw_line(visit, said)
        return
    every = LOOK_S if left >= SOON else LOOK_SOON_S
    st.fragment(lambda: _draw_line(visit, said), run_every=every, key="seat_line")()


def _draw_line(visit: Visit, said: str) -> None:
    """Never how the prompts stand."""
    session = visit.session
    assert session is not None
    left = session.left(utc_now())
    if left == timedelta():
        st.rerun()
    parts = []
    if session.goal is Goal.VOTES:
        votes = visit.services.sessions.answers(session)
        parts.append(f"{votes:,} of {labels.counted(session.goal_votes, 'vote')} together")
    if left is not None:
        parts.append(f"{told(left)} left")
    parts.append(
        "the prompts are named after each vote"
        if session.reveal is Reveal.AFTER_VOTE
        else "the prompts stay unnamed until the end"
        if session.reveal is Reveal.AT_END
        else "the prompts stay unnamed"
    )
    st.caption(said + " · ".join(parts), text_alignment="center")


def draw_end(visit: Visit, undo: Callable[[], None] | None = None) -> None:
    """Nothing more is asked: what there is left to see, and ``undo`` where a vote can still be taken back."""
    assert visit.session is not None
    if visit.session.reveal is Reveal.AT_END and not visit.session.reveals(utc_now()):
        st.caption("When the host closes the session, your votes show which prompts you compared.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Look again", key="look_again", icon=":material/refresh:")
        st.page_link("rater/history.py", label="My votes", icon=":material/history:")
        if undo is not None:
            st.button("Undo my last vote", key="undo_end", on_click=undo, shortcut="U", type="tertiary")


def told(left: timedelta) -> str:
    """'12 min', '40 s'."""
    seconds = left.total_seconds()
    return f"{seconds:.0f} s" if left < SOON else f"{seconds / 60:,.0f} min"
