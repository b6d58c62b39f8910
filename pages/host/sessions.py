"""Sessions: open one on this study, hand out its link, close it, look back."""

import streamlit as st

from optimizer.domain import utc_now
from optimizer.sessions import Session
from optimizer.sessions.service import raters_of
from pages.parts import access, frame, invitation, labels, notices, seat, session_form

GOAL_REACHED = "Goal reached"


def close(session: Session) -> None:
    notices.attempt(lambda: sessions.close(session.id), f"'{session.name}' is closed. Its votes stay.")


def reopen(session: Session) -> None:
    notices.attempt(lambda: sessions.reopen(session.id), f"'{session.name}' is open again, without a limit.")


def archive(session: Session) -> None:
    notices.attempt(lambda: sessions.archive(session.id), f"'{session.name}' is put away.")


def go_on(session: Session) -> None:
    notices.attempt(lambda: sessions.lift_goal(session.id), f"'{session.name}' goes on until you close it.")


def toggle_new() -> None:
    st.session_state["panel"] = "" if st.session_state.get("panel") == "session" else "session"


def state(session: Session) -> str:
    if session.is_open(now):
        if visit.services.admission.reached(session, study):
            return GOAL_REACHED
        left = session.left(now)
        return "Open" if left is None else f"Open, {seat.told(left)} left"
    return "Archived" if session.archived_at else "Closed" if session.closed_at else "Time is up"


def facts(session: Session) -> str:
    """The terms in a line."""
    here = raters_of(session, seats)
    parts = [labels.counted(len(here), "rater"), session_form.goal_in_words(session)]
    if session.overlap > 1 and session.overlap_share:
        parts.append(f"{session.overlap} raters on {session.overlap_share:.0%} of the duels")
    parts.append(session_form.REVEALS[session.reveal.value].lower())
    if not session.reasons:
        parts.append("no reasons")
    if session.groups:
        parts.append(f"groups {', '.join(session.groups)}")
    return labels.plain(" · ".join(parts))


def draw_session(session: Session) -> None:
    is_open = session.is_open(now)
    with st.container(border=True, key=f"session_{session.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            kind = " :blue-badge[room]" if session.room else ""
            colour = "green" if is_open else "gray"
            told = state(session)
            st.markdown(f"**{labels.plain(session.name)}** :{colour}-badge[{told}]{kind}", width="stretch")
            if told == GOAL_REACHED:
                st.button(
                    "Go on without the goal", key=f"go_on_{session.id}", on_click=go_on, args=(session,)
                )
            st.page_link(
                "host/board.py",
                label="Board",
                icon=":material/monitoring:",
                query_params={access.STUDY: study.id, "session": session.id},
            )
            if is_open:
                st.button("Close", key=f"close_{session.id}", on_click=close, args=(session,))
            else:
                st.button("Reopen", key=f"reopen_{session.id}", on_click=reopen, args=(session,))
            if session.archived_at is None:
                st.button("Archive", key=f"archive_{session.id}", on_click=archive, args=(session,))
        st.caption(facts(session))
        if is_open:
            invitation.draw(visit, session)


visit, study = access.enter()
frame.style()
is_new = st.session_state.get("panel") == "session"
if not is_new:
    notices.draw()
sessions, now = visit.services.sessions, utc_now()
seats = sessions.seats(study.id)
every = sessions.all(study.id)

st.header("Sessions", anchor=False)
st.caption(
    "Many people vote on this study: each at their own pace, or all together in one room. They join by a "
    "link, see their duels and their own votes, and nothing else."
)
st.button("New session", type="primary", icon=":material/add:", key="new_session", on_click=toggle_new)
if is_new:
    session_form.draw(visit, study)
shown = [session for session in every if session.archived_at is None]
if not shown:
    st.info("No session on this study yet.", icon=":material/groups:")
for session in shown:
    draw_session(session)
archived = [session for session in every if session.archived_at is not None]
if archived:
    with st.expander(f"Archived ({len(archived)})", icon=":material/inventory_2:"):
        for session in archived:
            draw_session(session)
