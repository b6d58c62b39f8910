"""Short names for things that have none, and people's own words where Streamlit would read Markdown."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from optimizer.domain import Input, InputId, Prompt
from optimizer.visible import visible

INPUT_LABEL = 60
_MARKDOWN = re.compile(r"([\\`*_\[\]<>~$:#|!]|-(?=[->]))")


def plain(text: str) -> str:
    """The text for a label or a message, shown as it is written: no formatting, links or images."""
    return _MARKDOWN.sub(r"\\\1", visible(text))


def one_line(text: str, longest: int = INPUT_LABEL) -> str:
    """The beginning of a text, without line breaks; for tables, which read no Markdown."""
    line = " ".join(visible(text[: 4 * longest]).split())
    return line if len(line) <= longest and len(text) <= 4 * longest else line[: longest - 1].rstrip() + "…"


def of_input(row: Input, longest: int = INPUT_LABEL) -> str:
    """An input by the beginning of its first variable that says something."""
    return next((one_line(value, longest) for value in row.variables.values() if value.strip()), "(empty)")


def numbered(rows: Sequence[Input], longest: int = INPUT_LABEL) -> dict[InputId, str]:
    """Inputs by number and beginning, so that no two are called the same."""
    return {row.id: f"{number}. {of_input(row, longest)}" for number, row in enumerate(rows, start=1)}


def of_prompt(prompt: Prompt) -> str:
    """A prompt's name, and whether it still competes."""
    return f"{prompt.name} (retired)" if prompt.retired_at else prompt.name


def counted(number: int, noun: str) -> str:
    """'1 vote', '1,204 votes'."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def local_time(moment: datetime) -> datetime:
    """The moment on the visitor's clock, without its zone: what a table shows."""
    try:
        zone: tzinfo = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):  # the browser names it, so it may be anything
        zone = UTC
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)
