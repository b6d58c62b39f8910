"""A room: the pair that everybody is looking at, the countdown, and then how the room voted."""

import streamlit as st

from optimizer.domain import Duel, Outcome, RaterId, utc_now
from optimizer.sessions.rounds import Round, Stage
from pages.parts import access, answers, cards, frame, keyguard, notices, output_text, room_split, seat

LOOK_EVERY_S = 1.0  # while the seconds count; half as often while nothing is asked


def present() -> tuple[Round | None, str]:
    """The newest round, and what is drawn of it: another one means that the page is to be drawn anew."""
    assert visit.session is not None
    shown = visit.services.room.current(visit.session)
    now = utc_now()
    is_open = visit.services.sessions.session(visit.session.id).is_open(now)
    drawn = "" if shown is None else f"{shown.id} {shown.stage(now)} {shown.again_at}"
    return shown, f"{drawn} {is_open}"


def vote(duel: Duel, rater: RaterId, outcome: Outcome) -> None:
    seen_ms = keyguard.viewed_ms(duel.id, visit.services.config.min_view_ms)
    if seen_ms is None:
        return
    notices.attempt(
        lambda: visit.services.workshop.record_vote(duel.id, rater, outcome, None, seen_ms),
        "Your vote is in.",
    )


def draw_countdown() -> None:
    """Looked at again every second; what else is on the screen stands still."""
    shown, now_drawn = present()
    if now_drawn != st.session_state.get("room_drawn"):
        st.rerun()
    left = 0.0 if shown is None else shown.seconds_left(utc_now())
    if left > 0:
        st.markdown(f"### :material/timer: {left:.0f} s", text_alignment="center")


def draw_pair(shown: Round) -> None:
    store = visit.services.store
    cards.heading(study)
    cards.input_card(store.input(shown.input).variables, whole=False)
    first, second = (store.output(output).text for output in (shown.first, shown.second))
    cards.pair(first, second, output_text.fitting_mode((first, second)))


def draw_answers(duel: Duel) -> None:
    rater = visit.rater_id(study.id)
    answers.draw("room", lambda outcome: vote(duel, rater, outcome), duel.id)
    keyguard.drawn(duel.id)


def draw_voting(shown: Round, again: bool) -> None:
    if again:
        st.info(
            "Vote again, after what was said. The first vote is the one that counts.",
            icon=":material/replay:",
        )
    draw_pair(shown)
    duel = visit.services.room.duel(shown, visit.rater_id(study.id))
    with st.container(key="bar"):
        if duel is None:
            st.caption("You came after the first vote: look on.", text_alignment="center")
        elif duel.closed_at is None:
            draw_answers(duel)
        else:
            st.success("Your vote is in. The split shows when the time is up.", icon=":material/check:")


visit, study = access.rating()
frame.style()
notices.draw()
if visit.session is None:  # a host without a seat looks at the board instead
    st.switch_page("host/board.py")
shown, st.session_state["room_drawn"] = present()
now = utc_now()
counting = shown is not None and shown.seconds_left(now) > 0
look_every = LOOK_EVERY_S if counting else 2 * LOOK_EVERY_S
st.fragment(draw_countdown, run_every=look_every, key="room_countdown")()
if not visit.session.is_open(now):
    st.info("The session is over. Thank you for your votes.", icon=":material/flag:")
    seat.draw_end(visit)
elif shown is None:
    st.info("The first pair comes when the host shows it.", icon=":material/hourglass_empty:")
else:
    stage = shown.stage(now)
    if stage in (Stage.VOTING, Stage.AGAIN):
        draw_voting(shown, stage is Stage.AGAIN)
    else:
        st.subheader("How the room voted", anchor=False)
        before = visit.services.room.split(shown)
        after = visit.services.room.split(shown, again=True) if shown.again_at else None
        room_split.draw(before, after)
        draw_pair(shown)
