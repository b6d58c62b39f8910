"""A report as a file: which formats there are."""

from collections.abc import Callable, Iterator, Mapping

from optimizer.reports.facts import Report
from optimizer.reports.markdown import to_markdown


def _html(report: Report) -> Iterator[str]:
    # Plotly takes a while to import, which nobody should wait for who wants no report.
    from optimizer.reports.html import pieces

    return pieces(report)


FORMATS: Mapping[str, Callable[[Report], Iterator[str]]] = {
    "html": _html,
    "md": lambda report: iter([to_markdown(report)]),
}


def write(report: Report, suffix: str) -> Iterator[str]:
    """The file in pieces; ``suffix`` is a key of ``FORMATS``."""
    return FORMATS[suffix](report)
