"""A bare two-column page with two buttons and no database: the least that any voting screen can take."""

import streamlit as st

WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "nobody",
    "looks",
    "at",
    "the",
    "clock",
    "on",
    "the",
    "wall",
]


def text(turn: int, side: int) -> str:
    """120 words that differ from turn to turn."""
    return f"pair {turn} " + " ".join(WORDS[(turn + 7 * side + i) % len(WORDS)] for i in range(120))


def choose() -> None:
    st.session_state.turn = st.session_state.get("turn", 0) + 1


turn = st.session_state.get("turn", 0)
with st.container(key="pair"):  # so that the clock knows where to look
    left, right = st.columns(2)
left.markdown(text(turn, 0))
right.markdown(text(turn, 1))
st.button("Left", on_click=choose, shortcut="A")
st.button("Right", on_click=choose, shortcut="B")
