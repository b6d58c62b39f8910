"""The report as Markdown. What people and models wrote stays text: no markup of theirs takes effect."""

import re

from optimizer.reports.blocks import (
    Beside,
    Block,
    Bullets,
    Chart,
    Facts,
    Heading,
    Quotes,
    Table,
    Text,
    Verbatim,
    Warn,
)
from optimizer.reports.facts import Report
from optimizer.reports.wording import sections, subtitle, title
from optimizer.visible import visible

_MARKUP = re.compile(r"([\\`*_\[\]<>#|!~&$])")
_START = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)", re.MULTILINE)


def to_markdown(report: Report) -> str:
    """The whole report but its charts."""
    parts = [f"# {escaped(title(report))}", escaped(subtitle(report))]
    for section in sections(report):
        parts.append(f"## {section.title}")
        parts += [text for block in section.blocks if (text := markdown_of(block))]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """One line of text, shown as it is written."""
    line = " ".join(visible(text).split())
    return _START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", line))


def fenced(text: str) -> str:
    """A code block that the text cannot end."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{visible(text)}\n{fence}"


def markdown_of(block: Block) -> str:
    """A block; charts are left out."""
    match block:
        case Text(text, lead, note):
            line = escaped(text)
            return f"**{line}**" if lead else f"*{line}*" if note else line
        case Heading(text):
            return f"### {escaped(text)}"
        case Bullets(items):
            return "\n".join(f"- {escaped(item)}" for item in items)
        case Quotes(items):
            return "\n>\n".join(f"> {escaped(item)}" for item in items)
        case Facts(pairs):
            return _table(("", ""), [(name, value) for name, value in pairs], frozenset())
        case Table(columns, rows, marked, numbers):
            return _table(columns, [_marked(row, n == marked) for n, row in enumerate(rows)], numbers)
        case Warn(text):
            return f"- ⚠ {escaped(text)}"
        case Verbatim(name, text):
            return f"{escaped(name)}:\n\n{fenced(text)}"
        case Beside(first, second):
            return f"{markdown_of(first)}\n\n{markdown_of(second)}"
        case Chart():
            return ""


def _marked(row: object, marked: bool) -> list[str]:
    assert isinstance(row, list | tuple)
    return [f"{cell} ◀" if marked and n == len(row) - 1 else cell for n, cell in enumerate(row)]


def _table(columns: object, rows: object, numbers: frozenset[int]) -> str:
    assert isinstance(columns, tuple | list)
    assert isinstance(rows, list)
    rules = ["--:" if n in numbers else ":--" for n in range(len(columns))]
    lines = [columns, rules, *rows]
    return "\n".join(
        "| " + " | ".join(cell if line is rules else escaped(cell) for cell in line) + " |" for line in lines
    )
