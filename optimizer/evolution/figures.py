"""Plotly figures of the evolution: the tree, the leader's chance, and a dial's response."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import plotly.graph_objects as go

from optimizer.charts import COLOURS, figure_of, shown
from optimizer.domain import PromptId
from optimizer.evolution.lineage import Node
from optimizer.evolution.record import Point
from optimizer.proposers.controller import Reading
from optimizer.proposers.dials import Dial

LONGEST_LABEL = 26
ROW = 62  # pixels of a row of the tree
WIDE, LETTER = 620, 6.6  # pixels for all generations, and of a letter of a change
UNKNOWN = "#7f8c93"


def family_tree(nodes: Sequence[Node]) -> go.Figure:
    """Prompts by generation, coloured by strength; on each edge, in the hover, what changed."""
    rows = 1 + max((node.place for node in nodes), default=0.0)
    figure = figure_of("", "generation", "", 110 + round(ROW * rows))
    at = {node.prompt.id: (node.depth, node.place) for node in nodes}
    _edges(figure, nodes, at)
    known = [node for node in nodes if node.strength is not None]
    reach = max((abs(node.strength or 0.0) for node in known), default=1.0) or 1.0
    figure.add_scatter(
        x=[node.depth for node in nodes],
        y=[node.place for node in nodes],
        mode="markers+text",
        text=[_label(node) for node in nodes],
        textposition="top center",
        marker={
            "size": 18,
            "color": [float("nan") if n.strength is None else n.strength for n in nodes]
            if known
            else UNKNOWN,
            "colorscale": "RdBu",
            "cmin": -reach,
            "cmax": reach,
            "symbol": ["circle-x" if node.prompt.retired_at else "circle" for node in nodes],
            "line": {"width": 1.5, "color": UNKNOWN},
            "colorbar": {"title": {"text": "strength"}, "thickness": 12, "len": 0.9},
            "showscale": bool(known),
        },
        customdata=[_told(node) for node in nodes],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
        cliponaxis=False,
    )
    deepest = max((node.depth for node in nodes), default=0)
    figure.update_xaxes(dtick=1, range=[-0.35, deepest + 0.45], zeroline=False, showgrid=False)
    figure.update_yaxes(visible=False, range=[rows - 0.4, -0.7])
    figure.update_layout(hovermode="closest", margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


def leaders_chance(points: Sequence[Point], names: Mapping[PromptId, str]) -> go.Figure:
    """The chance of whoever led to beat the first prompt, with its 90 % interval, over the votes."""
    figure = figure_of("", "votes", "per cent", 300)
    votes = [point.votes for point in points]
    figure.add_scatter(
        x=[*votes, *reversed(votes)],
        y=[100 * p.high for p in points] + [100 * p.low for p in reversed(points)],
        fill="toself",
        mode="lines",
        fillcolor="rgba(0,114,178,0.16)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=votes,
        y=[100 * point.chance for point in points],
        mode="lines+markers",
        line={"color": COLOURS[0], "width": 2.5},
        marker={"size": 6},
        customdata=[[shown(names.get(p.leader, "?")), 100 * p.low, 100 * p.high, p.round] for p in points],
        hovertemplate="%{y:.0f} % (%{customdata[1]:.0f} to %{customdata[2]:.0f})<br>"
        "leader: %{customdata[0]}, round %{customdata[3]}<extra></extra>",
        showlegend=False,
    )
    for before, after in pairwise(points):
        if after.round != before.round:
            label = f"round {after.round}"
            figure.add_vline(
                x=before.votes,
                line={"dash": "dash", "width": 1, "color": UNKNOWN},
                annotation_text=label,
                annotation_position="bottom right",
            )
    figure.add_hline(y=50, line={"dash": "dot", "width": 1, "color": UNKNOWN})
    figure.update_yaxes(range=[0, 104])
    figure.update_layout(margin={"l": 10, "r": 10, "t": 34, "b": 10})
    return figure


def dial_response(readings: Sequence[Reading], dial: Dial) -> go.Figure:
    """What was measured at each step against the set point and its band, and where the dial stood."""
    kind = dial.about
    figure = figure_of(f"{kind.label}: measured and wanted", "step", kind.unit, 320)
    steps = list(range(1, len(readings) + 1))
    figure.add_hrect(
        y0=dial.target - dial.band, y1=dial.target + dial.band, fillcolor="rgba(0,158,115,0.18)", line_width=0
    )
    line = {"dash": "dot", "width": 1.5, "color": UNKNOWN}
    figure.add_hline(y=dial.target, line=line, annotation_text="set point")
    figure.add_scatter(
        x=steps,
        y=[one.value for one in readings],
        error_y={"type": "data", "array": [one.error if one.error < 1e9 else 0.0 for one in readings]},
        name="measured",
        mode="lines+markers",
        line={"color": COLOURS[0], "width": 2.5},
        marker={"size": 8},
    )
    figure.add_scatter(
        x=steps,
        y=[one.setting for one in readings],
        name="dial",
        mode="lines+markers",
        line={"color": COLOURS[1], "dash": "dash", "width": 2},
        marker={"size": 8, "symbol": "square"},
    )
    figure.update_xaxes(dtick=1)
    return figure


def _edges(figure: go.Figure, nodes: Sequence[Node], at: Mapping[PromptId, tuple[int, float]]) -> None:
    """Lines to the first parent, dotted ones to further parents; the change half-way, to be hovered."""
    for node in nodes:
        x, y = at[node.prompt.id]
        parents = [node.prompt.parent, *node.others]
        for parent in parents:
            if parent is None or parent not in at:
                continue
            first = parent == node.prompt.parent
            x0, y0 = at[parent]
            figure.add_scatter(
                x=[x0, x],
                y=[y0, y],
                mode="lines",
                line={"color": UNKNOWN, "width": 2 if first else 1.2, "dash": "solid" if first else "dot"},
                hoverinfo="skip",
                showlegend=False,
            )
    children = [node for node in nodes if node.prompt.parent in at]
    deepest = max((node.depth for node in nodes), default=0) + 0.8
    letters = max(8, round(WIDE / deepest / LETTER) - 2)
    figure.add_scatter(
        x=[(at[n.prompt.parent][0] + n.depth) / 2 for n in children if n.prompt.parent],
        y=[(at[n.prompt.parent][1] + n.place) / 2 for n in children if n.prompt.parent],
        mode="markers+text",
        text=[shown(_cut(node.change, letters)) for node in children],
        textposition="bottom center",
        textfont={"size": 11},
        marker={"size": 7, "color": UNKNOWN, "symbol": "diamond"},
        customdata=[_folded(node.change) for node in children],
        hovertemplate="%{customdata}<extra>change</extra>",
        showlegend=False,
    )


def _label(node: Node) -> str:
    return f"<b>{shown(_cut(node.prompt.name, LONGEST_LABEL))}</b>"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _told(node: Node) -> str:
    """The hover of a prompt."""
    state = " (retired)" if node.prompt.retired_at else ""
    lines = [f"<b>{shown(node.prompt.name)}</b>{state}"]
    if node.strength is None:
        lines.append("no votes yet")
    else:
        lines.append(f"strength {node.strength:+.2f}, {node.duels} duels")
        lines.append(f"best with a chance of {100 * node.p_best:.0f} %")
    if node.depth:
        lines += [_folded(node.change), f"{node.drift:.2f} away from its root"]
    return "<br>".join(lines)


def _folded(text: str, width: int = 60) -> str:
    """A text in lines of about this width; as it is written."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "<br>".join(shown(part) for part in [*lines, line][:8])
