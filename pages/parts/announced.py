"""The pair that comes next lies in the page before it is asked, hidden; a vote shows it at once.

It is chosen when the pair before it has been drawn, so without the vote on that one, and kept for the next
ask. ``announced.js`` shows it in the browser. What a press counts for is decided by ``keyguard`` as ever:
until the server has drawn the pair itself, no answer is heard.
"""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from optimizer.domain import Duel, DuelId, Study
from optimizer.workshop import ShownDuel
from pages.parts import cards, live_pair, output_text, tools
from pages.parts.access import Visit

KEPT = "announced"  # in the session: a duel on the screen, and what comes after it


def load() -> None:
    """Have the browser load what shows the next pair."""
    st.html('<script src="announced.js"></script>', unsafe_allow_javascript=True)


def kept() -> Duel | None:
    """What the browser has been given as the duel that comes next."""
    found: tuple[DuelId, ShownDuel] | None = st.session_state.get(KEPT)
    return found[1].duel if found else None


def draw(place: DeltaGenerator, visit: Visit, study: Study, shown: ShownDuel, began: float) -> None:
    """Put what comes after this pair into its place in the page, where a vote can show it: nothing may come
    between the two, nor stand there that is about the first. A server that is busy has taken long since it
    ``began`` with this pair (``time.monotonic``), and leaves the next one for later."""
    duel = shown.duel
    known: tuple[DuelId, ShownDuel] | None = st.session_state.get(KEPT)
    if known is not None and known[0] != duel.id:
        del st.session_state[KEPT]
        known = None
    if st.session_state.get("pause") or study.settings.critic_first or tools.opened(visit, study):
        return
    if 1000 * (time.monotonic() - began) >= visit.services.config.ahead_ms:
        return
    following = known[1] if known else visit.services.workshop.announce(shown, live_pair.is_live(study))
    if following is None:
        return
    st.session_state[KEPT] = (duel.id, following)
    texts = (following.first.text, following.second.text)
    if max(map(len, texts)) > output_text.LONGEST_MARKDOWN:
        return
    with place:
        cards.input_card(following.variables, st.session_state.get("whole_input", False), "_next")
        cards.pair(*texts, output_text.chosen_mode(texts), "_next")
        least_ms = visit.services.config.min_view_ms
        st.html(f'<i data-after="{duel.id}" data-least-ms="{least_ms}"></i>')
