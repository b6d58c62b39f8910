"""Plotly figures of a judge beside people: arrays in, figure out."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from optimizer.domain import Outcome
from optimizer.judging.bar import IntArray
from optimizer.judging.comparing import CONFUSED
from optimizer.stats.prediction_powered import PoweredRate
from pages.parts.charts import COLOURS

WINDOW = 20  # duels that the running agreement looks back on
MARK = {"dash": "dot", "width": 1, "color": "#808080"}  # seen on light and dark
SHADES = [[0.0, "rgba(0,114,178,0.06)"], [1.0, "rgba(0,114,178,0.38)"]]  # seen on light and dark
SPOKEN = {
    Outcome.FIRST: "first",
    Outcome.BOTH_GOOD: "both good",
    Outcome.BOTH_BAD: "both bad",
    Outcome.SECOND: "second",
}


def confusion(table: IntArray) -> go.Figure:
    """The judge's answers by people's, on the same two outputs: (4, 4) in the order of ``CONFUSED``."""
    names = [SPOKEN[outcome] for outcome in CONFUSED]
    figure = _figure("What people said where the judge said …", 330)
    figure.add_heatmap(
        z=table,
        x=names,
        y=names,
        colorscale=SHADES,
        zmin=0,
        zmax=max(1, int(table.max())),
        hovertemplate="Judge: %{y}, people: %{x}: %{z:d}<extra></extra>",
        showscale=False,
    )
    # A trace of its own, for the theme's own colour: a heatmap's text takes every cell to lie on white.
    figure.add_scatter(
        x=[people for _ in names for people in names],
        y=[judge for judge in names for _ in names],
        text=[str(count) for count in table.ravel()],
        mode="text",
        hoverinfo="skip",
    )
    figure.update_xaxes(title="people", showgrid=False)
    figure.update_yaxes(title="judge", autorange="reversed", showgrid=False)
    return figure


def agreement_over_time(agreed: Sequence[bool]) -> go.Figure:
    """How often the judge agreed with people over the last ``WINDOW`` shared duels, duel by duel."""
    cases = np.array(agreed, dtype=np.float64)
    sums = np.concatenate([[0.0], cases.cumsum()])
    ends = np.arange(1, cases.size + 1)
    starts = np.maximum(0, ends - WINDOW)
    running = (sums[ends] - sums[starts]) / (ends - starts)
    figure = _figure(f"Agreement with people, last {WINDOW} duels", 330)
    figure.add_scatter(
        x=ends,
        y=100 * running,
        mode="lines",
        line={"color": COLOURS[0], "width": 2.5},
        hovertemplate="duel %{x}: %{y:.0f} %<extra></extra>",
    )
    figure.add_hline(y=50, line=MARK, annotation_text="a coin")
    figure.update_xaxes(title="duels that both answered, in order of time")
    figure.update_yaxes(title="per cent", range=[0, 102])
    return figure


def win_rates(rates: Sequence[tuple[str, PoweredRate]]) -> go.Figure:
    """Each prompt's win rate with its 95 % interval: by people alone, and by people and the judge."""
    names = [escape(name, quote=False) for name, _ in rates]  # Plotly reads some HTML
    figure = _figure("Win rate, with 95 % interval", 170 + 46 * len(names))
    alone = [(r.people_value, r.people_low, r.people_high) for _, r in rates]
    both = [(r.value, r.low, r.high) for _, r in rates]
    for label, values, colour, symbol, shift in (
        ("people alone", alone, COLOURS[7], "circle", 0.16),
        ("people and judge", both, COLOURS[0], "diamond", -0.16),
    ):
        middle, low, high = 100 * np.array(values).T
        figure.add_scatter(
            x=middle,
            y=np.arange(len(names)) + shift,
            name=label,
            mode="markers",
            marker={"size": 10, "symbol": symbol, "color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": high - middle,
                "arrayminus": middle - low,
                "thickness": 2.5,
                "width": 5,
                "color": colour,
            },
            hovertemplate="%{x:.0f} %",
        )
    figure.add_vline(x=50, line=MARK)
    figure.update_xaxes(title="per cent", range=[-2, 102])
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed")
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": -0.35})
    return figure


def _figure(title: str, height: int) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        title={"text": title, "font": {"size": 16}},
        height=height,
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
        font={"size": 14},
        showlegend=False,
    )
    return figure
