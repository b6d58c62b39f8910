"""No vote on a pair that nobody has seen: a press counts only after the pair stood still for a moment.

A held key repeats about thirty times a second. A press that comes too early makes the pair count as not
drawn yet, so its moment starts again with the next drawing: a held key casts one vote, and then none until
it is let go, however slow the machine.
"""

import time

import streamlit as st

from optimizer.domain import DuelId


def drawn(duel: DuelId) -> None:
    """Remember when this duel was first drawn whole."""
    if st.session_state.get("drawn_duel") != duel:
        st.session_state["drawn_duel"] = duel
        st.session_state["drawn_at"] = time.monotonic()


def viewed_ms(duel: DuelId, least_ms: int) -> int | None:
    """How long the duel has been seen, or None for a press that must not count."""
    if st.session_state.get("drawn_duel") != duel:
        return None
    seen_ms = int(1000 * (time.monotonic() - st.session_state["drawn_at"]))
    if seen_ms < least_ms:
        st.session_state["drawn_duel"] = None
        return None
    return seen_ms
