"""The report as one HTML file that needs nothing else: charts inlined, no request to anywhere.

Everything that people and models wrote is escaped. Should that ever fail, the file's own
Content-Security-Policy lets no script run but the two whose hashes it names, and fetches nothing.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from json import dumps
from pathlib import Path

from plotly.io import to_json
from plotly.offline import get_plotlyjs

from optimizer.reports.blocks import (
    Beside,
    Block,
    Bullets,
    Chart,
    Facts,
    Heading,
    Quotes,
    Section,
    Table,
    Text,
    Verbatim,
    Warn,
)
from optimizer.reports.charts import figure
from optimizer.reports.facts import Report
from optimizer.reports.wording import sections, subtitle, title
from optimizer.visible import visible

HERE = Path(__file__).parent
CONFIG = {"displaylogo": False, "responsive": True, "displayModeBar": "hover", "showSendToCloud": False}


def pieces(report: Report) -> Iterator[str]:
    """The whole report, piece by piece."""
    style = (HERE / "report.css").read_text(encoding="utf-8")
    plotly, start = get_plotlyjs(), (HERE / "report.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src {_hash(plotly)} {_hash(start)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title(report))}: decision report</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<main>\n<header><h1>{_text(title(report))}</h1><p>{_text(subtitle(report))}</p></header>\n"
    )
    for section in sections(report):
        yield from _section(section, report)
    yield f"</main>\n<script>{plotly}</script>\n<script>{start}</script>\n</body>\n</html>\n"


def _section(section: Section, report: Report) -> Iterator[str]:
    yield f"<section>\n<h2>{_text(section.title)}</h2>\n"
    for block in section.blocks:
        yield _block(block, report) + "\n"
    yield "</section>\n"


def _block(block: Block, report: Report) -> str:
    match block:
        case Text(text, lead, note):
            kind = ' class="lead"' if lead else ' class="note"' if note else ""
            return f"<p{kind}>{_text(text)}</p>"
        case Heading(text):
            return f"<h3>{_text(text)}</h3>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in items) + "</ul>"
        case Quotes(items):
            return "".join(f"<blockquote>{_text(item)}</blockquote>" for item in items)
        case Facts(pairs):
            return "<dl>" + "".join(f"<dt>{_text(a)}</dt><dd>{_text(b)}</dd>" for a, b in pairs) + "</dl>"
        case Table():
            return _table(block)
        case Warn(text):
            return f'<p class="warn">{_text(text)}</p>'
        case Verbatim(name, text):
            return f"<figure><figcaption>{_text(name)}</figcaption><pre>{_text(text)}</pre></figure>"
        case Beside(first, second):
            return f'<div class="beside">{_block(first, report)}{_block(second, report)}</div>'
        case Chart(name, caption):
            return _chart(name, caption, report)


def _table(table: Table) -> str:
    def cells(row: object, tag: str) -> str:
        assert isinstance(row, list | tuple)
        kinds = (' class="number"' if n in table.numbers else "" for n in range(len(row)))
        return "".join(f"<{tag}{kind}>{_text(cell)}</{tag}>" for kind, cell in zip(kinds, row, strict=True))

    rows = "".join(
        f"{'<tr class=marked>' if n == table.marked else '<tr>'}{cells(row, 'td')}</tr>\n"
        for n, row in enumerate(table.rows)
    )
    return (
        f'<div class="table"><table>\n<thead><tr>{cells(table.columns, "th")}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>"
    )


def _chart(name: str, caption: str, report: Report) -> str:
    drawn = figure(name, report)
    if drawn is None:
        return ""
    drawn.update_layout(template="plotly_white", margin={"l": 60, "r": 20, "t": 50, "b": 50})
    # In a block of data that no browser runs; "<" is written so that nothing in it can end the block.
    data = (to_json(drawn)[:-1] + f', "config": {dumps(CONFIG)}' + "}").replace("<", "\\u003c")
    return (
        f'<figure class="chart"><div data-chart="{name}" style="height: {int(drawn.layout.height)}px"></div>'
        f'<script type="application/json">{data}</script><figcaption>{_text(caption)}</figcaption></figure>'
    )


def _text(text: str) -> str:
    return escape(visible(text))


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
