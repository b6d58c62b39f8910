"""What a rater in a session sees around their duels: the line under the answers, and the end."""

from datetime import timedelta

import streamlit as st

from optimizer.domain import Study, utc_now
from optimizer.sessions import Goal, Reveal
from pages.parts import labels
from pages.parts.access import Visit


def draw_line(visit: Visit, study: Study) -> None:
    """How far the session is; never how the prompts stand."""
    session = visit.session
    assert session is not None
    parts = []
    if session.goal is Goal.VOTES:
        votes = visit.services.sessions.answers(session)
        parts.append(f"{votes:,} of {labels.counted(session.goal_votes, 'vote')} together")
    left = session.left(utc_now())
    if left is not None:
        parts.append(f"{told(left)} left")
    parts.append(
        "the prompts are named after each vote"
        if session.reveal is Reveal.AFTER_VOTE
        else "the prompts stay unnamed until the end"
        if session.reveal is Reveal.AT_END
        else "the prompts stay unnamed"
    )
    st.caption(" · ".join(parts), text_alignment="center")


def draw_end(visit: Visit) -> None:
    """Nothing more is asked: what there is left to see."""
    assert visit.session is not None
    if visit.session.reveal is Reveal.AT_END and not visit.session.reveals(utc_now()):
        st.caption("When the host closes the session, your votes show which prompts you compared.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Look again", key="look_again", icon=":material/refresh:")
        st.page_link("rater/history.py", label="My votes", icon=":material/history:")


def told(left: timedelta) -> str:
    """'12 min', '40 s'."""
    seconds = left.total_seconds()
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:,.0f} min"
