"""Plotly figures of a study: arrays in, figure out. Lines differ in dash and symbol, not only in colour."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from optimizer.standings import Race, Standings
from optimizer.visible import visible

FloatArray = NDArray[np.float64]

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star", "x")
# Okabe and Ito (2008), darkened where white paper needs it.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b88a00", "#56b4e9", "#7a4fb5", "#7f8c93")
BAND_OPACITY = 0.14
MARK = {"dash": "dot", "width": 1.5, "color": "#808080"}  # seen on light and dark
MOST_LINES = 8
FEW_VOTES = 10
MOST_BANDS = 3  # more of them hide each other; hovering tells the others' intervals


def figure_of(title: str, x: str, y: str, height: int = 420) -> go.Figure:
    """An empty figure in the style of all."""
    figure = go.Figure()
    figure.update_layout(
        title={"text": title, "font": {"size": 18}},
        xaxis={"title": x},
        yaxis={"title": y},
        height=height,
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        font={"size": 14},
        legend={"orientation": "h", "y": -0.2},
        hovermode="x unified",
    )
    return figure


def shown(name: str) -> str:
    """A name as it is written: Plotly reads HTML in every text."""
    return escape(visible(name), quote=False)


def colour_of(arm: int) -> str:
    """The same colour for an arm in every figure."""
    return COLOURS[arm % len(COLOURS)]


def _translucent(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND_OPACITY})"


def _line(
    figure: go.Figure,
    x: Sequence[int],
    y: FloatArray,
    name: str,
    arm: int,
    interval: FloatArray | None = None,
) -> None:
    figure.add_scatter(
        x=list(x),
        y=100 * y,
        name=shown(name),
        mode="lines+markers",
        line={"color": colour_of(arm), "dash": DASHES[arm % len(DASHES)], "width": 2.5},
        marker={"symbol": SYMBOLS[arm % len(SYMBOLS)], "size": 6},
        customdata=None if interval is None else 100 * interval,
        hovertemplate="%{y:.0f} %"
        + ("" if interval is None else " (%{customdata[0]:.0f} to %{customdata[1]:.0f})"),
    )


def _over_votes(title: str, race: Race) -> go.Figure:
    """Per cent over whole votes: few of them would be marked by halves."""
    figure = figure_of(title, "votes", "per cent")
    figure.update_yaxes(range=[0, 100])
    if race.votes[-1] <= FEW_VOTES:
        figure.update_xaxes(dtick=1)
    return figure


def win_rate_over_votes(race: Race, arms: Sequence[int], observed: bool) -> go.Figure:
    """Chance to beat a random prompt of the pool (with its 90 % band), or the observed win rate."""
    title = "Observed win rate" if observed else "Chance to beat a random prompt of the pool"
    figure = _over_votes(title, race)
    for place, arm in enumerate(arms):
        if not observed and place < MOST_BANDS:
            figure.add_scatter(
                x=[*race.votes, *reversed(race.votes)],
                y=100 * np.concatenate([race.chance_high[:, arm], race.chance_low[::-1, arm]]),
                fill="toself",
                fillcolor=_translucent(colour_of(arm)),
                mode="none",  # short lines would have dots at their points
                hoverinfo="skip",
                showlegend=False,
            )
        if observed:
            _line(figure, race.votes, race.observed[:, arm], race.names[arm], arm)
        else:
            interval = np.stack([race.chance_low[:, arm], race.chance_high[:, arm]], axis=1)
            _line(figure, race.votes, race.chance[:, arm], race.names[arm], arm, interval)
    figure.add_hline(y=50, line=MARK)
    return figure


def p_best_over_votes(race: Race, arms: Sequence[int], confidence: float) -> go.Figure:
    """Probability of being the best prompt, with the level at which the advice is to stop."""
    figure = _over_votes("Probability of being the best", race)
    for arm in arms:
        _line(figure, race.votes, race.p_best[:, arm], race.names[arm], arm)
    figure.add_hline(
        y=100 * confidence,
        line=MARK,
        annotation_text=f"{100 * confidence:.0f} % wanted",
        annotation_position="bottom right",
    )
    return figure


def strengths(standings: Standings) -> go.Figure:
    """Strengths with their 90 % intervals, strongest on top."""
    rows = sorted(standings.rows, key=lambda row: row.strength)
    height = 120 + 34 * len(rows)
    figure = figure_of("Strength, with 90 % interval", "logits above the average prompt", "", height)
    figure.add_scatter(
        x=[row.strength for row in rows],
        y=[shown(row.prompt.name) for row in rows],
        mode="markers",
        marker={"size": 11, "symbol": "diamond", "color": COLOURS[0]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [row.high - row.strength for row in rows],
            "arrayminus": [row.strength - row.low for row in rows],
            "thickness": 2.5,
            "width": 6,
            "color": COLOURS[0],
        },
        hovertemplate="%{y}: %{x:.2f}<extra></extra>",
    )
    figure.add_vline(x=0, line=MARK)
    figure.update_yaxes(type="category")
    figure.update_layout(hovermode="closest", showlegend=False)
    return figure


def wins_heatmap(standings: Standings) -> go.Figure:
    """Share of duels that the row won against the column; unplayed pairs stay empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(standings.played > 0, 100 * standings.wins / standings.played, np.nan)
    return _heatmap("Row beats column", share, standings, "%{y} beats %{x}: %{z:.0f} %", ("RdBu", 0, 100))


def counts_heatmap(standings: Standings) -> go.Figure:
    """How many duels each pair has had."""
    played = np.where(standings.played > 0, standings.played, np.nan)
    top = float(np.nanmax(played)) if standings.played.any() else 1.0
    return _heatmap("Duels counted", played, standings, "%{y} and %{x}: %{z:.0f}", ("Blues", 0, top))


def _heatmap(
    title: str, z: FloatArray, standings: Standings, hover: str, scale: tuple[str, float, float]
) -> go.Figure:
    names = [shown(prompt.name) for prompt in standings.arms]
    figure = figure_of(title, "", "", 200 + 32 * len(names))
    colours, low, high = scale
    figure.add_heatmap(
        z=z,
        x=names,
        y=names,
        colorscale=colours,
        zmin=low,
        zmax=high,
        texttemplate="%{z:.0f}" if len(names) <= 15 else None,
        hovertemplate=f"{hover}<extra></extra>",
        hoverongaps=False,
        showscale=False,
    )
    figure.update_xaxes(type="category")  # a prompt named "2" is no number
    figure.update_yaxes(type="category", autorange="reversed")
    figure.update_layout(hovermode="closest")
    return figure
