"""Join: a code and a name, the instructions, one pair for practice; then the duels begin."""

import streamlit as st

from optimizer.domain import Outcome
from optimizer.errors import PromptDuelError
from optimizer.sessions import Reveal, Session
from pages.parts import access, answers, cards, frame, labels, notices, output_text
from pages.parts.access import Visit

CODE = "code"  # query parameter
EXAMPLE_INPUT = {"question": "How do I get a stain of red wine out of a cotton shirt?"}
EXAMPLE_A = (
    "Wine stains are a common problem. There are many ways. You could try one of them, or ask a professional."
)
EXAMPLE_B = (
    "At once: blot it, don't rub. Then pour cold water through the cloth from behind, put dish soap and a "
    "little hydrogen peroxide on it, wait half an hour, rinse, and wash at 30 °C."
)
LEARNED = {
    Reveal.NEVER: "Which prompts you compared is not shown.",
    Reveal.AFTER_VOTE: "After each vote you can see which prompts you compared.",
    Reveal.AT_END: "Which prompts you compared is shown when the session is over.",
}


def join() -> None:
    def act() -> None:
        st.session_state.pop("no_session", None)
        visit.services.sessions.join(
            st.session_state.get("join_code") or "",
            visit.person,
            name or st.session_state.get("join_name") or "",
            st.session_state.get("join_group") or "",
            access.address(),
        )

    name = access.given_name()
    notices.attempt(act, "You are in.")


def leave() -> None:
    visit.services.sessions.leave(visit.person)
    for key in ("practice", "last_vote", "reviewing"):
        st.session_state.pop(key, None)


def answer(outcome: Outcome) -> None:
    st.session_state["practice"] = outcome.value


def begin(visit: Visit) -> None:
    assert visit.seat is not None
    visit.services.sessions.practised(visit.seat)


def draw_form(code: str) -> None:
    """Who they are, and which session they mean."""
    if visit.person == access.NO_COOKIE:
        st.warning(
            "Your browser keeps no cookies for this page, so you would not be found again after a reload. "
            "Allow them and reload.",
            icon=":material/cookie_off:",
        )
        st.stop()
    with st.container(border=True, width=520):
        typed = st.text_input("Code", code, key="join_code", max_chars=20, placeholder="ABC123") or code
        place, wanted = st.empty(), session_of(typed)
        if st.session_state.get("no_session") == typed != "" and not refused:
            place.warning(labels.plain(st.session_state["no_session_why"]), icon=":material/event_busy:")
        known = access.given_name()
        with st.form("join_form", border=False):  # Enter joins
            if known:
                st.markdown(f"You are logged in as **{labels.plain(known)}**.")
            else:
                st.text_input(
                    "Your name", key="join_name", max_chars=80, help="The host of the session sees it."
                )
            if wanted is not None and wanted.groups:
                st.pills("Your group", wanted.groups, key="join_group")
            st.form_submit_button("Join", type="primary", key="join", on_click=join, width="stretch")
        if access.login_offered() and not known:
            st.button("Log in instead", key="join_login", on_click=st.login, width="stretch")


def session_of(code: str) -> Session | None:
    """The open session of a code. None where there is none; why is kept. Not looked up in every run, as wrong
    codes are counted."""
    if not code or st.session_state.get("no_session") == code:
        return None
    try:
        return visit.services.sessions.by_code(code, access.address())
    except PromptDuelError as error:
        st.session_state["no_session"], st.session_state["no_session_why"] = code, str(error)
        return None


def draw_welcome(session: Session) -> None:
    st.header(labels.plain(session.name), anchor=False)
    study = visit.studies[0]
    st.markdown(f"**{output_text.safe_markdown(study.task or study.name)}**")
    if session.instructions:
        with st.container(border=True):
            output_text.draw(session.instructions, output_text.MARKDOWN)
    if study.criteria:
        st.markdown("What makes an output good:")
        lines = [line.strip() for line in study.criteria.splitlines() if line.strip()]
        st.markdown("\n".join(f"- {labels.plain(line)}" for line in lines))


def draw_practice() -> None:
    """One pair like those that will come; nothing of it is kept."""
    st.subheader("One pair for practice", anchor=False)
    st.caption("Made up for this page; your answer is not stored. Read both and say which is better.")
    cards.input_card(EXAMPLE_INPUT, whole=False)
    with st.container(key="practice"):
        cards.pair(EXAMPLE_A, EXAMPLE_B, output_text.MARKDOWN)
    said = st.session_state.get("practice")
    answers.draw("practice", answer, said=None if said is None else Outcome(said))
    if said is None:
        return
    st.success(
        "That is how it works. Now the real ones: which prompt wrote which side is hidden, and the sides "
        "are drawn anew for each pair.",
        icon=":material/check:",
    )
    st.button("Begin", type="primary", key="begin", on_click=begin, args=(visit,), shortcut="Enter")


visit = access.visitor()
frame.style()
refused = "fault" in st.session_state  # then that says it
notices.draw()
code = str(st.query_params.get(CODE, ""))
meant = session_of(code) or visit.session
if visit.session is None or visit.seat is None or meant != visit.session:
    st.header(f"Join '{labels.plain(meant.name)}'" if meant else "Join a session", anchor=False)
    if visit.session is not None:
        st.caption(f"You are in '{labels.plain(visit.session.name)}' now. Joining another one leaves it.")
    draw_form(code)
    st.stop()

duel = "rater/room.py" if visit.session.room else "rater/duel.py"
draw_welcome(visit.session)
st.caption(LEARNED[visit.session.reveal])
if not visit.seat.practised:
    draw_practice()
elif st.session_state.pop("practice", None):
    st.switch_page(duel)
else:
    st.page_link(duel, label="Go on voting", icon=":material/arrow_forward:")
st.button("Leave the session", key="leave", on_click=leave, type="tertiary", icon=":material/logout:")
