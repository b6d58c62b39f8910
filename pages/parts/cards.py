"""The input and the two outputs of a duel, and the sentence that says why they were paired."""

import streamlit as st

from optimizer.domain import Duel, Study
from optimizer.workshop import ShownDuel
from pages.parts import output_text

REASONS = {
    "audit": "Drawn at random among all pairs, whatever the selector would have liked. One duel in ten is "
    "such an audit: it keeps the observed win rates honest.",
    "replay": "You have seen this pair before, with the sides swapped. It tests how steady the votes are and "
    "does not count for the ranking.",
}


def input_card(study: Study, shown: ShownDuel, whole: bool) -> None:
    """The task and the input's variables; about six lines of them unless the whole is asked for."""
    st.markdown(f"**{output_text.safe_markdown(study.task or study.name)}**")
    with st.container(border=True, key="input_whole" if whole else "input_short"):
        for name, value in shown.variables.items():
            st.caption(output_text.safe_markdown(name.replace("_", " ")))
            output_text.draw(value, output_text.fitting_mode((value, value)))


def output(side: str, text: str, mode: str, key: str) -> None:
    """One pane: its letter, its text, scrolling by itself."""
    st.markdown(f"**{side}**")
    with st.container(border=True, key=key):
        output_text.draw(text, mode)


def why(duel: Duel) -> str:
    """Why this pair, for people."""
    return REASONS.get(duel.selector, f"The selector '{duel.selector}' asked for it: {duel.reason}.")
