"""A report in words: sections of blocks. Plain text throughout; whoever draws a block escapes it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; a lead is what one reads if nothing else, a note is small print."""

    text: str
    lead: bool = False
    note: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Within a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what they stand for."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as people read them; ``marked`` is the row that matters, ``numbers`` are columns of numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: int | None = None
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Warn:
    """A caution."""

    text: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text of people or models exactly as it is, in full."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Two texts side by side."""

    first: Verbatim
    second: Verbatim


@dataclass(frozen=True, slots=True)
class Quotes:
    """What people wrote."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure of ``reports.charts.FIGURES``, and what it shows for those who cannot see it."""

    name: str
    caption: str


Block = Text | Heading | Bullets | Facts | Table | Warn | Verbatim | Beside | Quotes | Chart


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: Sequence[Block]
