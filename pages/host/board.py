"""The board: a session live, to be thrown on a wall. It refreshes by itself; in a room it shows the pairs."""

import pandas as pd
import streamlit as st

from optimizer.domain import Study, utc_now
from optimizer.sessions import Seat, Session
from optimizer.sessions.board import Board, Figures
from optimizer.sessions.service import raters_of
from optimizer.standings import Race, Standings
from optimizer.stats.agreement import FEWEST_DUELS, Coefficient
from pages.parts import (
    access,
    advice,
    board_names,
    charts,
    frame,
    invitation,
    judge_report,
    labels,
    notices,
    room_stage,
    seat,
)
from pages.parts.access import Visit

REFRESH_S = 3
RACE_POINTS = 12
RACE_PX = 310  # what a window of 720 leaves
MOST_LISTED = 12
NAME_PX = 120  # long names are cut, so that the votes stay in sight
SESSION = "session"  # query parameter


def choose(sessions: list[Session]) -> Session:
    """The session that the address names, or the newest open one, or the newest."""
    now = utc_now()
    names = {session.id: session.name for session in sessions}
    linked = st.query_params.get(SESSION)
    first = next((session.id for session in sessions if session.is_open(now)), sessions[0].id)
    chosen = next((id for id in names if id == linked), first)
    if len(sessions) > 1:
        chosen = st.sidebar.selectbox(
            "Session",
            list(names),
            list(names).index(chosen),
            format_func=lambda id: names[id],
            key=f"board_of_{chosen}",
        )
    if chosen != linked:
        st.query_params[SESSION] = chosen
    return next(session for session in sessions if session.id == chosen)


def draw_head(session: Session) -> None:
    """The name, the way in, and the switch for the prompts' names."""
    left, middle, right = st.columns([5, 3, 1], vertical_alignment="center")
    with left:
        st.header(labels.plain(session.name), anchor=False)
    with middle, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if session.is_open(utc_now()) and not inviting(session):  # before that a large one is below
            st.markdown(f"## {invitation.code(session)}", width="content")
        hidden = session.names_hidden
        st.button(
            "Show the prompts' names" if hidden else "Hide the prompts' names",
            key="show_names",
            icon=":material/visibility:" if hidden else ":material/visibility_off:",
            on_click=notices.do,
            args=(
                lambda: visit.services.sessions.show_names(session.id, hidden),
                "The prompts are named." if hidden else "The names are hidden.",
            ),
        )
    if session.is_open(utc_now()) and not inviting(session):
        right.image(invitation.picture(invitation.link(visit, session), 3), width=120)


def inviting(session: Session) -> bool:
    """Is there nothing to see yet but the way in?"""
    if session.room:
        begun = visit.services.room.current(session) is not None
    else:
        begun = visit.services.sessions.answers(session) > 0
    return session.is_open(utc_now()) and not begun


def drawn_of(session: Session) -> str:
    """What decides how the head is drawn; when it changes, the page is drawn anew."""
    return f"{session.is_open(utc_now())} {inviting(session)}"


def draw_figures(figures: Figures, session: Session) -> None:
    left = session.left(utc_now())
    told = [
        ("Votes", f"{figures.votes:,}"),
        ("Votes a minute", f"{figures.per_minute:.1f}"),
        ("Raters", f"{figures.active} of {len(figures.raters)}"),
        ("Same answer", f"{figures.agreed.value:.0%}" if figures.agreed.n else "–"),
    ]
    if left is not None:
        told.append(("Time left", seat.told(left) if session.is_open(utc_now()) else "none"))
    with st.container(horizontal=True, key="board_figures"):
        for label, value in told:
            st.metric(label, value, width="content", help=ABOUT.get(label))
    alpha = alpha_of(visit.services.board, session, session.id)
    if alpha.n >= FEWEST_DUELS:
        shared = labels.counted(alpha.n, "shared duel")
        st.caption(f"Krippendorff's alpha {judge_report.number(alpha)} on {shared}.")
    if figures.goal_share is not None:
        goal = labels.counted(session.goal_votes, "vote")
        done = figures.goal_share >= 1.0
        st.progress(
            figures.goal_share,
            f"The goal, {goal}, is reached" if done else f"{figures.goal_share:.0%} of {goal}",
        )


ABOUT = {
    "Same answer": "Of the pairs of answers to duels that several raters saw.",
    "Votes a minute": "Over the last three minutes.",
    "Raters": "With a vote, of those who joined.",
}


def draw_race(standings: Standings, race: Race) -> None:
    order = {prompt.id: arm for arm, prompt in enumerate(standings.arms)}
    arms = [order[row.prompt.id] for row in standings.rows][: charts.MOST_LINES]
    figure = charts.p_best_over_votes(race, arms, study.settings.confidence)
    # Low, and with its legend above the lines: nothing is cut off on a small screen.
    figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"}, title={"text": ""}, height=RACE_PX)
    figure.update_layout(margin={"t": 10})
    st.markdown("**Probability of being the best**")
    st.plotly_chart(figure, key="board_race", config=charts.CONFIG)


def draw_raters(figures: Figures) -> None:
    now = utc_now()
    rows = [
        {
            "Rater": one.seat.name,
            "Group": one.seat.group,
            "Votes": one.votes,
            "Last vote": "not yet" if one.last_at is None else f"{seat.told(now - one.last_at)} ago",
        }
        for one in figures.raters[:MOST_LISTED]
    ]
    if not rows:
        st.caption("Nobody has joined yet.")
        return
    table = pd.DataFrame(rows)
    if not table["Group"].any():
        table = table.drop(columns="Group")
    most = max(1, figures.raters[0].votes)
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "Rater": st.column_config.TextColumn(width=NAME_PX),
            "Group": st.column_config.TextColumn(width="small"),
            "Votes": st.column_config.ProgressColumn(format="%d", min_value=0, max_value=most, width="small"),
        },
    )
    if len(figures.raters) > MOST_LISTED:
        st.caption(f"And {len(figures.raters) - MOST_LISTED} more.")


@st.cache_data(ttl=10, max_entries=8, show_spinner=False)
def alpha_of(_board: Board, _session: Session, session_id: str) -> Coefficient:
    """Its interval takes a moment: worked out every ten seconds at most."""
    return _board.alpha(_session)


@st.cache_data(ttl=10, max_entries=8, show_spinner=False)
def race_of(_visit: Visit, _study: Study, study_id: str) -> Race:
    """Worked out every ten seconds at most: voting comes first."""
    return _visit.services.results.race(_study, points=RACE_POINTS)


def draw_live() -> None:
    """What changes while people vote."""
    session = visit.services.sessions.session(chosen.id)
    if drawn_of(session) != st.session_state.get("head_drawn"):
        st.rerun()
    figures = visit.services.board.figures(session, seats())
    draw_figures(figures, session)
    standings = visit.services.results.latest(study)
    left, right = st.columns([3, 2], gap="large")
    with left:
        if inviting(session):
            invitation.draw_large(visit, session)
        elif standings is None or not standings.votes:
            told = (
                "The standings are on their way."
                if figures.votes
                else "The race begins with the first votes."
            )
            st.info(told, icon=":material/how_to_vote:")
        else:
            race = race_of(visit, study, study.id)
            if session.names_hidden:
                standings, race = board_names.hidden(standings, race, session)
            advice.banner(standings)
            draw_race(standings, race)
    with right:
        draw_raters(figures)


def seats() -> list[Seat]:
    return raters_of(chosen, visit.services.sessions.seats(study.id))


visit, study = access.enter()
frame.style()
notices.draw()
every = [session for session in visit.services.sessions.all(study.id) if session.archived_at is None]
if not every:
    st.header("Board", anchor=False)
    st.info("There is no session to show yet.", icon=":material/groups:")
    st.page_link("host/sessions.py", label="Open a session", icon=":material/add:")
    st.stop()
chosen = choose(every)
draw_head(chosen)
st.session_state["head_drawn"] = drawn_of(chosen)
if chosen.room:
    room_stage.draw(visit, study, chosen)
st.fragment(access.while_host(draw_live), run_every=REFRESH_S, key="board_live")()
