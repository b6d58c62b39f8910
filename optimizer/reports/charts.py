"""The figures of a report, by the names that its blocks call them by."""

from collections.abc import Callable, Mapping

import plotly.graph_objects as go

from optimizer.charts import (
    MOST_LINES,
    colour_of,
    figure_of,
    p_best_over_votes,
    shown,
    strengths,
    wins_heatmap,
)
from optimizer.reports.facts import Report

MOST_CELLS = 30  # prompts in a heat map; with more nobody can read it


def figure(name: str, report: Report) -> go.Figure | None:
    """The figure, or None where there is nothing to draw."""
    return FIGURES[name](report)


def _p_best(report: Report) -> go.Figure | None:
    if len(report.race.votes) < 2:
        return None
    arms = {prompt.id: arm for arm, prompt in enumerate(report.standings.arms)}
    leaders = [arms[row.prompt.id] for row in report.standings.rows][:MOST_LINES]
    return p_best_over_votes(report.race, leaders, report.study.settings.confidence).update_layout(height=340)


def _wins(report: Report) -> go.Figure | None:
    return wins_heatmap(report.standings) if len(report.standings.arms) <= MOST_CELLS else None


def _economy(report: Report) -> go.Figure | None:
    known = [(one, value) for one in report.prices if (value := one.of(report.measure)) is not None]
    if not known:
        return None
    unit = {"latency_ms": "milliseconds"}.get(report.measure, report.measure)
    chart = figure_of("Quality against cost", f"{unit} per output", "chance to beat the pool, per cent")
    for chosen, symbol, name in (
        (True, "diamond", "may be the best"),
        (False, "circle-open", "hardly the best"),
    ):
        here = [(one, value) for one, value in known if one.plausible is chosen]
        chart.add_scatter(
            x=[value for _, value in here],
            y=[100 * one.chance for one, _ in here],
            mode="markers+text" if len(known) <= MOST_LINES else "markers",
            text=[shown(one.prompt.name) for one, _ in here],
            textposition="top center",
            marker={"size": 12, "symbol": symbol, "color": colour_of(0 if chosen else 7)},
            name=name,
            hovertemplate="%{text}: %{y:.0f} % at %{x:,.4~g}<extra></extra>",
        )
    chart.update_layout(hovermode="closest")
    return chart


FIGURES: Mapping[str, Callable[[Report], go.Figure | None]] = {
    "p_best": _p_best,
    "strengths": lambda report: strengths(report.standings),
    "wins": _wins,
    "economy": _economy,
}
