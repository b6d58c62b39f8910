"""The four answers to a pair, in the order of the screen, each with its key."""

from collections.abc import Callable

import streamlit as st

from optimizer.domain import DuelId, Outcome

ANSWERS = (
    ("A is better", "A", Outcome.FIRST, "primary"),
    ("Both good", "T", Outcome.BOTH_GOOD, "secondary"),
    ("Both bad", "N", Outcome.BOTH_BAD, "secondary"),
    ("B is better", "B", Outcome.SECOND, "primary"),
)


def draw(
    kind: str,
    answer: Callable[[Outcome], None],
    duel: DuelId | None = None,
    said: Outcome | None = None,
    row: str = "answers",
) -> None:
    """A row of buttons. Their names hold the duel, so that a late press of the last pair is not one of this;
    where an answer was ``said`` and can be changed, it stands out instead of the sides."""
    with st.container(horizontal=True, horizontal_alignment="center", key=row):
        for label, key, outcome, prominence in ANSWERS:
            stands_out = prominence == "primary" if said is None else outcome is said
            st.button(
                label,
                key=f"{kind}_{key}" + (f"_{duel}" if duel else ""),
                on_click=answer,
                args=(outcome,),
                shortcut=key,
                type="primary" if stands_out else "secondary",
            )
