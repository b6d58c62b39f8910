"""A small line plot as SVG: one panel per world, regret by votes, both in logarithms."""

import math
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 360, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 36
COLOURS = ("#8a8a8a", "#2a6fbb", "#c2571a", "#3b8f4e", "#7a52a8", "#b23a6a", "#5b7f95", "#a08a2c", "#444444")


def line_plot(panels: dict[str, dict[str, dict[str, Any]]]) -> str:
    """``panels[world][selector]`` holds "votes" and "regret"; auto is drawn last and thickest."""
    names = sorted({name for players in panels.values() for name in players} - {"auto"})
    colour = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)} | {"auto": "#d11a2a"}
    columns = 2
    rows = math.ceil(len(panels) / columns)
    legend = 22 * math.ceil((len(names) + 1) / 4) + 10
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{columns * WIDTH}" height="{rows * HEIGHT + legend}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for at, (world, players) in enumerate(panels.items()):
        x, y = (at % columns) * WIDTH, (at // columns) * HEIGHT
        parts.append(f'<g transform="translate({x},{y})">{_panel(world, players, colour)}</g>')
    for at, name in enumerate(["auto", *names]):
        x, y = 16 + (at % 4) * columns * WIDTH / 4, rows * HEIGHT + 14 + 22 * (at // 4)
        parts.append(f'<path d="M{x},{y}h22" stroke="{colour[name]}" stroke-width="{_width(name)}"/>')
        parts.append(f'<text x="{x + 27}" y="{y + 4}">{escape(name)}</text>')
    return "".join([*parts, "</svg>\n"])


def _width(name: str) -> float:
    return 3.0 if name == "auto" else 1.5


def _panel(world: str, players: dict[str, dict[str, Any]], colour: dict[str, str]) -> str:
    points = {
        name: [(v, r) for v, r in zip(row["votes"], row["regret"], strict=True) if v >= 20 and r > 0]
        for name, row in players.items()
    }
    every = [point for line in points.values() for point in line]
    low_x, high_x = min(v for v, _ in every), max(v for v, _ in every)
    low_y, high_y = min(r for _, r in every), max(r for _, r in every)

    def place(votes: float, regret: float) -> tuple[float, float]:
        across = math.log(votes / low_x) / math.log(high_x / low_x)
        up = math.log(regret / low_y) / math.log(high_y / low_y)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">{escape(world)}: simple regret</text>']
    for votes in (20, 50, 100, 200, 500):
        if low_x <= votes <= high_x:
            x, _ = place(votes, low_y)
            parts.append(f'<path d="M{x:.1f},{TOP}V{HEIGHT - BOTTOM}" stroke="#e4e4e4"/>')
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{votes}</text>')
    for power in range(math.floor(math.log10(low_y)), math.ceil(math.log10(high_y)) + 1):
        for tick in (10.0**power, 3 * 10.0**power):
            if low_y <= tick <= high_y:
                _, y = place(low_x, tick)
                parts.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}" stroke="#e4e4e4"/>')
                parts.append(f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 5}" text-anchor="middle">votes</text>')
    for name in sorted(points, key=lambda name: name == "auto"):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points[name]))
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour[name]}" stroke-width="{_width(name)}"/>'
        )
    return "".join(parts)
