"""How a room voted on a pair, before and after the discussion."""

import plotly.graph_objects as go
import streamlit as st

from optimizer.sessions.room import Both, Split
from pages.parts import charts

NAMES = ("A better", "Both good", "Both bad", "B better")
COLOURS = ("#0072b2", "#009e73", "#8a6d00", "#d55e00")
PATTERNS = ("", "/", "x", ".")  # told apart without colour, too
BEFORE, AFTER = "Vote", "Second vote"


def draw(before: Split, after: Split | None, size: int = 16) -> None:
    """One bar for each vote; how far the room agrees beside it."""
    if not before.n:
        st.info("Nobody voted on this pair.", icon=":material/how_to_vote:")
        return
    splits = [(BEFORE, before)] + ([(AFTER, after)] if after is not None and after.n else [])
    figure = go.Figure()
    for place, name in enumerate(NAMES):
        figure.add_bar(
            y=[label for label, _ in splits],
            x=[100 * split.counts[place] / split.n for _, split in splits],
            text=[str(split.counts[place] or "") for _, split in splits],
            name=name,
            orientation="h",
            marker={
                "color": COLOURS[place],
                "pattern": {"shape": PATTERNS[place], "fillmode": "overlay", "solidity": 0.12},
            },
            hovertemplate=f"{name}: %{{text}}<extra></extra>",
            textfont={"size": size + 4},
            textangle=0,
            insidetextanchor="middle",
        )
    figure.update_layout(
        barmode="stack",
        height=90 + (size + 44) * len(splits),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        font={"size": size},
        legend={"orientation": "h", "y": -0.3, "traceorder": "normal"},
        xaxis={"range": [0, 100], "visible": False},
        yaxis={"autorange": "reversed"},
    )
    st.plotly_chart(figure, key="room_split", config={**charts.CONFIG, "displayModeBar": False})
    st.caption(" · ".join(f"{label}: {agreement(split)}" for label, split in splits))


def agreement(split: Split) -> str:
    """'12 votes, 71 % of the pairs of raters agree'."""
    votes = f"{split.n} {'vote' if split.n == 1 else 'votes'}"
    return votes if split.n < 2 else f"{votes}, {split.agreement.value:.0%} of the pairs of raters agree"


def in_words(both: Both) -> dict[str, object]:
    """A line of the table of rounds."""
    after = both.after
    return {
        "Pair": both.round.number,
        "Votes": both.before.n,
        "Agree before": _percent(both.before if after is None else both.twice[0]),
        "Agree after": "" if after is None else _percent(both.twice[1]),
        "Changed their mind": "" if after is None else f"{both.moved} of {both.twice[0].n}",
    }


def _percent(split: Split) -> str:
    return f"{split.agreement.value:.0%}" if split.n > 1 else "–"
