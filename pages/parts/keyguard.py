"""No vote on a pair that nobody has seen: a press counts only after the pair stood still for a moment.

A held key repeats about thirty times a second. A press that comes too early makes the pair count as not
drawn yet, so its moment starts again with the next drawing: a held key casts one vote, and then none until
it is let go, however slow the machine.

Nor on another pair than the one on the screen: where answers stay while pairs change, a press on a slow
network may arrive when the server is at the next pair. A field that nobody sees goes with every pair, and the
browser sends what it holds with every press: which pair the server drew last. (The browser may show the next
one already, but hears no answer to it until the server has drawn it too: ``announced.js``.)
"""

import time

import streamlit as st

from optimizer.domain import DuelId

ON_SCREEN = "pair_on_screen"


def tell(duel: DuelId) -> None:
    """Give the browser the name of this pair, to be said again with every press. Drawn with the pair."""
    st.session_state[ON_SCREEN] = duel
    # Of all fields that hold a text this one is drawn soonest; the style sheet hides it.
    st.text_area("Pair on the screen", key=ON_SCREEN, label_visibility="collapsed")


def on_screen() -> DuelId:
    """The pair that the browser showed when the key was pressed. For callbacks."""
    return DuelId(st.session_state.get(ON_SCREEN, ""))


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
