"""A report's blocks on the screen: the same words as in its files."""

from collections.abc import Sequence

import streamlit as st

from optimizer.domain import Study
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
from optimizer.reports.charts import figure
from optimizer.reports.facts import Report
from optimizer.results import VoteFilter
from optimizer.visible import visible
from pages.parts import charts
from pages.parts.access import Visit
from pages.parts.labels import plain


def gathered(visit: Visit, study: Study, chosen: VoteFilter) -> Report:
    """The report of this state of the study, gathered once."""
    counters = visit.services.store.counters(study.id)
    return _gathered(visit, study, chosen, repr((study, chosen, counters)))


@st.cache_resource(max_entries=8, show_spinner="The report is being gathered …")
def _gathered(_visit: Visit, _study: Study, _chosen: VoteFilter, state: str) -> Report:
    return _visit.services.reports.gather(_study.id, _chosen)


def draw(block: Block, report: Report) -> None:
    """One block."""
    match block:
        case Text(text, lead, note):
            if lead:
                st.subheader(plain(text), anchor=False)
            elif note:
                st.caption(plain(text))
            else:
                st.markdown(plain(text))
        case Heading(text):
            st.markdown(f"**{plain(text)}**")
        case Bullets(items):
            st.markdown("\n".join(f"- {_line(item)}" for item in items))
        case Quotes(items):
            st.markdown("\n>\n".join(f"> {_line(item)}" for item in items))
        case Facts(pairs):
            st.markdown(_table(("What", "Value"), pairs))
        case Table(columns, rows, marked, numbers):
            strong = [
                [f"**{_line(c)}**" if n == marked and c else _line(c) for c in row]
                for n, row in enumerate(rows)
            ]
            st.markdown(_table(columns, strong, numbers, raw=True))
        case Warn(text):
            st.warning(plain(text), icon=":material/warning:")
        case Verbatim(name, text):
            st.caption(plain(name))
            st.code(visible(text), language=None, wrap_lines=True)
        case Beside(first, second):
            for column, side in zip(st.columns(2, gap="medium"), (first, second), strict=True):
                with column:
                    draw(side, report)
        case Chart(name):
            drawn = figure(name, report)
            if drawn is not None:
                config = {**charts.CONFIG, **charts.file_name(name)}
                st.plotly_chart(drawn, key=f"report_{name}", config=config)


def _line(text: str) -> str:
    return " ".join(plain(text).split())


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: frozenset[int] = frozenset(),
    raw: bool = False,
) -> str:
    """A Markdown table; cells are escaped unless they are ``raw`` Markdown already."""
    cells = rows if raw else [[_line(cell) for cell in row] for row in rows]
    rules = ["--:" if n in numbers else ":--" for n in range(len(columns))]
    lines = [[_line(name) or " " for name in columns], rules, *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
