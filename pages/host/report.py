"""Report: the decision in one page, for those who did not vote; as a file to send around."""

import streamlit as st

from optimizer.domain import Study
from optimizer.reports import FORMATS, Report, sections, write
from optimizer.results import VoteFilter
from pages.parts import access, filters, frame, report_blocks
from pages.parts.access import Visit

LABELS = {"html": ("HTML, to send or print", "text/html"), "md": ("Markdown", "text/markdown")}


def gathered(visit: Visit, study: Study, chosen: VoteFilter) -> Report:
    """The report of this state of the study, gathered once."""
    counters = visit.services.store.counters(study.id)
    return _gathered(visit, study, chosen, repr((study, chosen, counters)))


@st.cache_resource(max_entries=8, show_spinner="The report is being gathered …")
def _gathered(_visit: Visit, _study: Study, _chosen: VoteFilter, _state: str) -> Report:
    return _visit.services.reports.gather(_study.id, _chosen)


def draw_downloads(report: Report) -> None:
    """One button for each format; a file is made when its button is pressed."""
    with st.container(horizontal=True):
        for suffix in FORMATS:
            label, mime = LABELS[suffix]
            st.download_button(
                label,
                lambda suffix=suffix: "".join(write(report, suffix)),
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
report = gathered(visit, study, chosen)
draw_downloads(report)
st.caption("The files hold outputs, comments and the winning prompt: send them to whom may see those.")
for section in sections(report):
    st.header(section.title, anchor=False, divider="gray")
    for block in section.blocks:
        report_blocks.draw(block, report)
