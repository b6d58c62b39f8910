"""What a simulation found, as figures: the chance of finding the best prompt, and what is lost otherwise."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from optimizer.charts import DASHES, SYMBOLS, colour_of, figure_of, shown
from optimizer.simulate import Result


def found(results: Sequence[Result], runs: int) -> go.Figure:
    """How often the recommended prompt was the best one, with the standard error of so many runs."""
    figure = figure_of("Probability of finding the best prompt", "votes", "per cent")
    for place, result in enumerate(results):
        error = np.sqrt(result.p_best_found * (1.0 - result.p_best_found) / runs)
        _line(figure, place, result, 100 * result.p_best_found, 100 * error)
    figure.update_yaxes(range=[0, 103])
    return figure


def regret(results: Sequence[Result]) -> go.Figure:
    """How much worse the recommended prompt is than the best one."""
    figure = figure_of("Regret of the recommendation", "votes", "logits below the best prompt")
    for place, result in enumerate(results):
        _line(figure, place, result, result.simple_regret, result.simple_regret_se)
    figure.update_yaxes(rangemode="tozero")
    return figure


def cost(results: Sequence[Result]) -> go.Figure:
    """What was lost on the way: win probability that the better prompt of each duel lacked, added up."""
    figure = figure_of(
        "Regret on the way (the better prompt of each duel)", "votes", "win probability, summed"
    )
    for place, result in enumerate(results):
        _line(figure, place, result, result.weak_regret, None)
    return figure


def planning(result: Result, runs: int, marks: Sequence[tuple[float, float | None]]) -> go.Figure:
    """One selector's chance to have found the best prompt, with the votes that each level takes."""
    figure = figure_of("How many votes will I need?", "votes", "chance to have found the best, per cent")
    error = np.sqrt(result.p_best_found * (1.0 - result.p_best_found) / runs)
    _line(figure, 0, result, 100 * result.p_best_found, 100 * error)
    for level, votes in marks:
        if votes is not None:
            figure.add_shape(
                type="path", path=f"M 0 {100 * level} L {votes} {100 * level} L {votes} 0",
                line={"dash": "dot", "width": 1.5, "color": "#808080"},
            )  # fmt: skip
            figure.add_annotation(
                x=votes, y=100 * level, text=f"{100 * level:.0f} %: {votes:.0f} votes", showarrow=False,
                xanchor="left", yanchor="top",
            )  # fmt: skip
    figure.update_yaxes(range=[0, 103])
    figure.update_xaxes(range=[0, result.votes[-1] * 1.12])
    figure.update_layout(showlegend=False)
    return figure


def _line(figure: go.Figure, place: int, result: Result, y: np.ndarray, error: np.ndarray | None) -> None:
    figure.add_scatter(
        x=list(result.votes),
        y=y,
        name=shown(result.selector),
        mode="lines+markers",
        error_y=None if error is None else {"type": "data", "array": error, "thickness": 1},
        line={"color": colour_of(place), "dash": DASHES[place % len(DASHES)], "width": 2.5},
        marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7},
        hovertemplate="%{y:.2f}" if error is None else "%{y:.2f} ± %{error_y.array:.2f}",
    )
