"""Export: the votes and the winner as files for other tools."""

import csv
import json
from io import StringIO
from itertools import islice

import pandas as pd
import streamlit as st

from optimizer.exchange import Export
from optimizer.formats import EXPORTERS
from optimizer.visible import visible
from pages.parts import access, filters, frame, labels, notices

ROWS = 10  # of a table in the preview
LINES = 2  # of JSON lines
LONGEST = 20_000  # characters of a preview


def beginning(export: Export) -> str:
    """Enough of the file for a preview; the rest is never made."""
    text = ""
    for piece in export.pieces:
        text += piece.decode()
        if len(text) > 10 * LONGEST:
            break
    return text.removeprefix("\ufeff")


def draw_csv(text: str) -> None:
    header, *rows = islice(csv.reader(StringIO(text, newline="")), ROWS + 1)
    if not rows:
        st.info("No row passes the filter.")
        return
    st.caption(f"The first {labels.counted(len(rows), 'row')}")
    cells = [[labels.one_line(cell, 300) for cell in row] for row in rows]
    st.dataframe(pd.DataFrame(cells, columns=header), hide_index=True)


def draw_json_lines(text: str) -> None:
    lines = [line for line in text.split("\n") if line][:LINES]
    if not lines:
        st.info("No vote passes the filter.")
        return
    st.caption(f"The first {labels.counted(len(lines), 'line')}, spread out for reading")
    for line in lines:
        spread = json.dumps(json.loads(line), indent=2, ensure_ascii=False)
        st.code(visible(spread[:LONGEST]), language="json", wrap_lines=True)


def draw_preview(export: Export) -> None:
    if export.filename.endswith(".zip"):
        st.caption("Compressed: there is no preview.")
        return
    text = beginning(export)
    if export.filename.endswith(".csv"):
        draw_csv(text)
    elif export.filename.endswith(".jsonl"):
        draw_json_lines(text)
    else:
        st.code(visible(text[:LONGEST]), language=None, wrap_lines=True)


visit, study = access.enter()
frame.style()
notices.draw()
exchange = visit.services.exchange
st.header("Export", anchor=False)
chosen = filters.draw(visit, study)
left, right = st.columns([2, 3], gap="large")
with left:
    name = st.radio(
        "Format",
        list(EXPORTERS),
        format_func=lambda name: EXPORTERS[name].label,
        captions=[labels.plain(exporter.loses) for exporter in EXPORTERS.values()],
        key="format",
        bind="query-params",
    )
with right.container(key="export_file"), frame.errors_shown():  # in sight however far down the list
    export = exchange.export(study.id, name, chosen)
    draw_button = st.container()
    if EXPORTERS[name].whole:
        st.caption("This format holds the study as it is: the filter does not apply.")
    draw_preview(export)
    draw_button.download_button(
        f"Download {export.filename}",
        lambda: exchange.export(study.id, name, chosen).whole(),
        export.filename,
        export.mime,
        key=f"download_{name}",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )
