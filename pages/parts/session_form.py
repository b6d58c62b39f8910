"""The form of a new session, and its terms in words."""

import streamlit as st

from optimizer.domain import Study
from optimizer.facts import given, scored
from optimizer.selectors import offered
from optimizer.sessions import Goal, Reveal, Session
from optimizer.sessions.nouns import SessionId
from pages.parts import notices
from pages.parts.access import Visit

PACE, ROOM = "Each at their own pace", "All together, in one room"
GOALS = {
    Goal.NONE.value: "Until I close it",
    Goal.VOTES.value: "A number of votes",
    Goal.ADVICE.value: "Until the advice is to stop",
}
REVEALS = {
    Reveal.NEVER.value: "Prompts never named",
    Reveal.AFTER_VOTE.value: "Prompts named after each vote",
    Reveal.AT_END.value: "Prompts named at the end",
}
AS_STUDY = ""


def draw(visit: Visit, study: Study) -> None:
    """The fields, and the button that opens it."""
    with st.container(border=True, key="session_form"):
        left, right = st.columns(2, gap="large")
        with left:
            _people()
        with right:
            _duels(visit, study)
        st.button("Open the session", type="primary", key="open_session", on_click=_open, args=(visit, study))
        notices.draw()  # beside the button: the top of the page is out of sight by now


def goal_in_words(session: Session) -> str:
    if session.goal is Goal.VOTES:
        return f"goal {session.goal_votes:,} votes"
    return "until the advice is to stop" if session.goal is Goal.ADVICE else "no goal"


def _people() -> None:
    st.text_input("Name", key="session_name", max_chars=80, placeholder="Support team, Monday")
    st.text_area(
        "Instructions",
        key="session_instructions",
        height=120,
        placeholder="Read both answers as if you were the customer.",
        help="Markdown. Raters read it when they join, above the study's criteria.",
    )
    st.segmented_control("Pace", [PACE, ROOM], default=PACE, key="session_pace", required=True)
    if not _in_room():
        left, right = st.columns(2)
        left.selectbox("Goal", list(GOALS), format_func=lambda one: GOALS[one], key="session_goal")
        if st.session_state.get("session_goal") == Goal.VOTES.value:
            right.number_input("Votes in all", 1, 1_000_000, 100, key="session_votes")
    st.number_input(
        "Time limit, minutes", 0, 43_200, 0, key="session_minutes", help="0 means none. Closing ends it too."
    )
    st.text_input(
        "Groups to choose from",
        key="session_groups",
        placeholder="Sales, Support, Engineering",
        help="By commas. Then the screen Groups says whether they disagree. Empty: nobody is asked.",
    )


def _duels(visit: Visit, study: Study) -> None:
    if not _in_room():
        left, right = st.columns(2)
        left.number_input(
            "Raters on a shared duel",
            1,
            20,
            2,
            key="session_overlap",
            help="How many see the same pair, each without knowing. Agreement is known from those.",
        )
        right.number_input(
            "Shared duels, %", 0, 100, 20, 5, key="session_share", help="Of the different duels. 0: none."
        )
    st.selectbox("Which prompts?", list(REVEALS), format_func=lambda one: REVEALS[one], key="session_reveal")
    if not _in_room():
        st.toggle("Ask why (reasons and a comment)", True, key="session_reasons")
    st.toggle(
        "Hide the prompts' names on the board",
        True,
        key="session_hidden",
        help="Until you show them there. For a big screen that raters see.",
    )
    known = given(bool(study.settings.budget), bool(scored(visit.services.store, study.id)))
    menu = [offer for offer in offered(known) if offer.missing is None]
    names = {AS_STUDY: "As the study says"} | {offer.name: offer.label for offer in menu}
    st.selectbox(
        "Which pair next?", list(names), format_func=lambda name: names[name], key="session_selector"
    )
    if not _in_room():
        st.number_input(
            "A duel is kept for a rater, minutes",
            1,
            10_000,
            30,
            key="session_lease",
            help="After that an unanswered duel goes back, and its pair to somebody else.",
        )


def _in_room() -> bool:
    """There the host shows every pair, to all, and says when; what is about single duels is not asked."""
    return st.session_state.get("session_pace") == ROOM


def _open(visit: Visit, study: Study) -> None:
    state = st.session_state
    wanted = Session(
        SessionId(""),
        study.id,
        state.get("session_name") or "",
        state.get("session_instructions") or "",
        _in_room(),
        Goal(state.get("session_goal") or Goal.NONE),
        int(state.get("session_votes") or 0),
        int(state.get("session_overlap") or 1),
        (state.get("session_share") or 0) / 100,
        bool(state.get("session_reasons")),
        Reveal(state.get("session_reveal") or Reveal.NEVER),
        bool(state.get("session_hidden")),
        state.get("session_selector") or AS_STUDY,
        tuple(group.strip() for group in (state.get("session_groups") or "").split(",") if group.strip()),
        float(state.get("session_lease") or 30),
    )
    minutes = state.get("session_minutes") or None
    if notices.attempt(lambda: visit.services.sessions.open(wanted, minutes), "The session is open."):
        state["panel"] = ""
        for field in ("name", "instructions", "groups"):
            state[f"session_{field}"] = ""
