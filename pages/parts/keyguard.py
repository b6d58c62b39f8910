"""No vote on a pair that nobody has seen: a press counts only after the pair stood still for a moment.

A held key repeats about thirty times a second. Every press restarts the pause, so a held key casts one
vote and then none until it is let go.
"""

import time

import streamlit as st

from optimizer.domain import DuelId

PAUSE_S = 0.25  # between two presses, longer than a keyboard's repeat interval


def drawn(duel: DuelId) -> None:
    """Remember when this duel was first drawn whole."""
    if st.session_state.get("drawn_duel") != duel:
        st.session_state["drawn_duel"] = duel
        st.session_state["drawn_at"] = time.monotonic()


def viewed_ms(duel: DuelId, least_ms: int) -> int | None:
    """How long the duel has been seen, or None for a press that must not count."""
    now = time.monotonic()
    since_press = now - st.session_state.get("pressed_at", -1e9)
    st.session_state["pressed_at"] = now
    if st.session_state.get("drawn_duel") != duel:
        return None
    seen_ms = int(1000 * (now - st.session_state["drawn_at"]))
    if seen_ms < least_ms or (least_ms and since_press < PAUSE_S):
        return None
    return seen_ms
