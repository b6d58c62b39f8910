"""The most that may be spent, as three fields; an empty one is no limit."""

from collections.abc import Callable

import streamlit as st

from optimizer.generation.costs import money_text
from optimizer.llm.budget import Budget
from pages.parts import labels


def fields(prefix: str, budget: Budget, label: str = "") -> Budget:
    """Calls, tokens and money."""
    if label:
        st.caption(label)
    calls, tokens, money = st.columns(3)
    calls.number_input("Calls", 0, None, budget.calls, key=f"{prefix}_calls", placeholder="No limit")
    tokens.number_input(
        "Tokens", 0, None, budget.tokens, 1000, key=f"{prefix}_tokens", placeholder="No limit"
    )
    money.number_input(
        "Money, $", 0.0, None, budget.money, 0.1, "%g", key=f"{prefix}_money", placeholder="No limit"
    )
    return typed(prefix)


def typed(prefix: str) -> Budget:
    """What the three fields hold; for callbacks, which may come with the last change."""
    return Budget(*(st.session_state[f"{prefix}_{name}"] for name in ("calls", "tokens", "money")))


def resume(key: str, budget: Budget, spent: bool, go_on: Callable[[Budget | None], None], label: str) -> None:
    """The button to go on with stopped work; where its budget was spent, with fields for a larger one."""
    icon = ":material/play_arrow:"
    if not spent:
        st.button("Resume", key=f"resume_{key}", icon=icon, on_click=go_on, args=(None,))
        return
    with st.popover("Resume", icon=icon):
        fields(f"more_{key}", budget, label)
        st.button(
            "Go on within these",
            key=f"resume_{key}",
            type="primary",
            on_click=lambda: go_on(typed(f"more_{key}")),
        )


def told(budget: Budget) -> str:
    """'at most 200 calls, $5.00', or 'without a limit'."""
    parts = [
        None if budget.calls is None else labels.counted(budget.calls, "call"),
        None if budget.tokens is None else labels.counted(budget.tokens, "token"),
        None if budget.money is None else money_text(budget.money),
    ]
    known = ", ".join(part for part in parts if part)
    return f"at most {known}" if known else "without a limit"
