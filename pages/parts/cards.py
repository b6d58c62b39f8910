"""The input and the two outputs of a duel, and the sentence that says why they were paired."""

from collections.abc import Mapping

import streamlit as st

from optimizer.domain import Duel, Study
from pages.parts import output_text

REASONS = {
    "audit": "Drawn at random among all pairs, whatever the selector would have liked. Some duels are "
    "such audits: they keep the observed win rates honest.",
    "newcomer": "One of these prompts was proposed a short while ago. Every new prompt gets a few duels to "
    "begin with.",
    "replay": "You have seen this pair before, with the sides swapped. It tests how steady the votes are and "
    "does not count for the ranking.",
    "review": "A judge has voted on this pair and was not certain, or much hangs on it: your vote confirms "
    "or corrects it. The sides are drawn anew.",
}


def heading(study: Study) -> None:
    """The task, and where the outputs come from."""
    st.markdown(f"**{output_text.safe_markdown(study.task or study.name)}**")
    if study.about:
        with st.container(key="about"):
            st.caption(f":material/info: {output_text.safe_markdown(study.about)}", help=study.about)


def input_card(variables: Mapping[str, str], whole: bool, key: str = "") -> None:
    """The input's variables; a few lines of them unless the whole is asked for."""
    with st.container(border=True, key=("input_whole" if whole else "input_short") + key):
        for name, value in variables.items():
            if len(variables) > 1:
                st.caption(output_text.safe_markdown(name.replace("_", " ")))
            output_text.draw(value, output_text.input_mode(value))


def pair(first: str, second: str, mode: str, key: str = "") -> None:
    """Two outputs side by side in panes of one size; the ``key`` sets them apart from another pair."""
    with st.container(horizontal=True, key=f"pair{key}", gap="medium"):
        output(first, mode, f"pane_first{key}")
        output(second, mode, f"pane_second{key}")


def output(text: str, mode: str, key: str) -> None:
    """One pane, scrolling by itself; the style sheet draws its letter, as every element sent to the browser
    makes the next pair come later."""
    with st.container(border=True, key=key):
        output_text.draw(text, mode)


def copies(first: str, second: str) -> None:
    """Both texts as they were written, each with a button that copies it."""
    for column, side, text in zip(st.columns(2, gap="medium"), "AB", (first, second), strict=True):
        column.caption(f"{side}, as it was written")
        column.code(text, language=None, wrap_lines=True, height=160)


def why(duel: Duel) -> str:
    """Why this pair, for people."""
    return REASONS.get(duel.selector, f"The selector '{duel.selector}' asked for it: {duel.reason}.")
