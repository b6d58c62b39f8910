"""Report: the decision in one page, for those who did not vote; as a file to send around."""

from functools import partial

import streamlit as st

from optimizer.reports import FORMATS, Report, sections, write
from pages.parts import access, filters, frame, report_blocks

LABELS = {"html": ("HTML, to send or print", "text/html"), "md": ("Markdown", "text/markdown")}


def file_of(report: Report, suffix: str) -> str:
    return "".join(write(report, suffix))


def draw_downloads(report: Report) -> None:
    """One button for each format; a file is made when its button is pressed."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for suffix in FORMATS:
            label, mime = LABELS[suffix]
            st.download_button(
                label,
                partial(file_of, report, suffix),
                f"report.{suffix}",
                mime,
                key=f"download_{suffix}",
                type="primary" if suffix == "html" else "secondary",
                icon=":material/download:",
                on_click="ignore",
            )
        st.page_link("host/present.py", label="Present it", icon=":material/slideshow:")


visit, study = access.enter()
frame.style()
st.header("Report", anchor=False)
chosen = filters.draw(visit, study)
report = report_blocks.gathered(visit, study, chosen)
draw_downloads(report)
st.caption("The files hold outputs, comments and the winning prompt: send them to whom may see those.")
for section in sections(report):
    st.header(section.title, anchor=False, divider="gray")
    for block in section.blocks:
        report_blocks.draw(block, report)
