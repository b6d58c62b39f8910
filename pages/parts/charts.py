"""The figures of ``optimizer.charts`` as screens show them: their tool bar, the name of a saved picture."""

import plotly.graph_objects as go

from optimizer.charts import (
    COLOURS,
    MOST_LINES,
    counts_heatmap,
    p_best_over_votes,
    strengths,
    win_rate_over_votes,
    wins_heatmap,
)

__all__ = [
    "COLOURS",
    "CONFIG",
    "MOST_LINES",
    "counts_heatmap",
    "file_name",
    "go",
    "p_best_over_votes",
    "strengths",
    "win_rate_over_votes",
    "wins_heatmap",
]

CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d"],
}


def file_name(name: str) -> dict[str, object]:
    """Plotly's configuration for saving the picture under this name."""
    return {"toImageButtonOptions": {"format": "png", "scale": 2, "filename": f"prompt-duel-{name}"}}
