"""The pair of a room on the host's board, and the buttons that move it on."""

import pandas as pd
import streamlit as st

from optimizer.domain import Study, utc_now
from optimizer.sessions import Seat, Session
from optimizer.sessions.rounds import Round, Stage
from optimizer.sessions.service import raters_of
from pages.parts import access, cards, labels, notices, output_text, room_split
from pages.parts.access import Visit

LOOK_EVERY_S = 1.0
SECONDS = 30


def draw(visit: Visit, study: Study, session: Session) -> None:
    """The present pair with its countdown, then its split; below it every pair so far."""
    room = visit.services.room
    shown = room.current(session)
    st.session_state["stage_drawn"] = _drawn(shown)
    _draw_controls(visit, study, session, shown)

    def watch() -> None:
        """Looked at again every second; the pair itself stands still."""
        now_shown = room.current(session)
        if _drawn(now_shown) != st.session_state.get("stage_drawn"):
            st.rerun()
        if now_shown is not None and now_shown.seconds_left(utc_now()) > 0:
            again = now_shown.again_at is not None
            voted = room.split(now_shown, again).n
            here = len(raters_of(session, visit.services.sessions.seats(study.id)))
            left = now_shown.seconds_left(utc_now())
            st.markdown(f"## :material/timer: {left:.0f} s · {voted} of {here} have voted")

    if shown is None:
        st.caption("Show the first pair when people have joined.")
    else:
        st.fragment(access.while_host(watch), run_every=LOOK_EVERY_S, key="stage_watch")()
        if shown.stage(utc_now()) in (Stage.REVEALED, Stage.REVEALED_AGAIN):
            after = room.split(shown, again=True) if shown.again_at else None
            room_split.draw(room.split(shown), after, size=22)
        _draw_pair(visit, study, session, shown)
        _draw_rounds(visit, session)


def _drawn(shown: Round | None) -> str:
    return "" if shown is None else f"{shown.id} {shown.stage(utc_now())} {shown.again_at}"


def _draw_controls(visit: Visit, study: Study, session: Session, shown: Round | None) -> None:
    room = visit.services.room
    stage = None if shown is None else shown.stage(utc_now())
    voting = stage in (Stage.VOTING, Stage.AGAIN)

    def here() -> list[Seat]:
        return raters_of(session, visit.services.sessions.seats(study.id))

    def seconds() -> int:
        return int(st.session_state.get("room_seconds") or SECONDS)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Next pair" if shown else "Show the first pair",
            key="room_next",
            type="secondary" if voting else "primary",
            icon=":material/skip_next:",
            disabled=voting,
            on_click=notices.do,
            args=(lambda: room.show_next(session, here(), seconds()), "Everybody sees it now."),
        )
        st.button(
            "Reveal now",
            key="room_reveal",
            icon=":material/bar_chart:",
            disabled=not voting,
            on_click=notices.do,
            args=(lambda: room.reveal(session, here()), "That is how the room voted."),
        )
        st.button(
            "Second vote",
            key="room_again",
            icon=":material/replay:",
            disabled=stage is not Stage.REVEALED,
            on_click=notices.do,
            args=(lambda: room.vote_again(session, here(), seconds()), "Everybody votes again."),
            help="On the same pair, after a discussion. It is compared with the first and never counts.",
        )
        st.number_input("Seconds to vote", 5, 3600, SECONDS, 5, key="room_seconds", width=150)


def _draw_pair(visit: Visit, study: Study, session: Session, shown: Round) -> None:
    store = visit.services.store
    cards.heading(study)
    cards.input_card(store.input(shown.input).variables, whole=False)
    outputs = [store.output(output) for output in (shown.first, shown.second)]
    mode = output_text.fitting_mode((outputs[0].text, outputs[1].text))
    named = not session.names_hidden and shown.stage(utc_now()) in (Stage.REVEALED, Stage.REVEALED_AGAIN)
    names = {prompt.id: prompt.name for prompt in store.prompts(study.id)} if named else {}
    if names:
        for column, output in zip(st.columns(2, gap="medium"), outputs, strict=True):
            column.markdown(f"**{labels.plain(names[output.prompt])}**")
    cards.pair(outputs[0].text, outputs[1].text, mode)


def _draw_rounds(visit: Visit, session: Session) -> None:
    with st.expander("Every pair so far", key="every_pair", on_change="rerun") as opened:
        if not opened.open:
            return
        rounds = visit.services.room.rounds(session)
        st.dataframe(pd.DataFrame([room_split.in_words(both) for both in rounds]), hide_index=True)
        before, after = visit.services.room.alphas(session)
        if before.n and after.n:
            st.caption(
                f"Krippendorff's alpha over {before.n} pairs with both votes: before the discussion "
                f"{before.value:.2f} ({before.low:.2f} to {before.high:.2f}), after it {after.value:.2f} "
                f"({after.low:.2f} to {after.high:.2f}). 1 is complete agreement, 0 that of chance."
            )
