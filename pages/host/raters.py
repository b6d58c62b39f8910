"""Raters: how careful each is, how far they agree; set one's votes aside, or bring them back."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from optimizer.domain import RaterId, StudyId
from optimizer.sessions.quality import FAST_MS, Quality, RaterReport
from optimizer.stats.agreement import Coefficient
from pages.parts import access, frame, labels, notices
from pages.parts.judge_report import number, percent

UNKNOWN = "–"


def table(found: list[RaterReport]) -> pd.DataFrame:
    """A line for each rater: first what is to be done, which a narrow screen would cut off at the end."""
    columns = pd.DataFrame(
        {
            "Rater": [names[report.rater.id] for report in found],
            "State": [state(report) for report in found],
            "Group": [groups.get(report.rater.id, "") for report in found],
            "Votes": [report.votes for report in found],
            "As others": [percent(report.others) for report in found],
            "As before, swapped": [percent(report.itself) for report in found],
            "Chose A": [percent(report.first) for report in found],
            "Reading time": [
                UNKNOWN if report.median_ms is None else f"{report.median_ms / 1000:.1f} s"
                for report in found
            ],
            "Too quick": [UNKNOWN if not report.fast.n else f"{report.fast.value:.0%}" for report in found],
            "Reliability": [reliability(report) for report in found],
        }
    )
    empty = [name for name in ("State", "Group") if not columns[name].any()]
    return columns.drop(columns=empty)


def reliability(report: RaterReport) -> str:
    """'0.84 (0.61 to 1.15)'."""
    known = report.reliability
    return UNKNOWN if known is None else f"{known.value:.2f} ({known.low:.2f} to {known.high:.2f})"


def state(report: RaterReport) -> str:
    if report.rater.set_aside_at is not None:
        return "Set aside"
    return "Look at this one" if report.notes else ""


def weigh() -> None:
    on = bool(st.session_state["weigh_raters"])
    settings = study.settings
    notices.attempt(
        lambda: visit.services.studies.edit(study.id, settings=replace(settings, weigh_raters=on)),
        "Careless raters count less from now on." if on else "Every rater counts the same.",
    )


def draw_rater(report: RaterReport) -> None:
    """What looks careless, and the button that leaves the votes out."""
    with st.container(border=True, key=f"rater_{report.rater.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{labels.plain(names[report.rater.id])}**", width="stretch")
            if report.rater.set_aside_at is None:
                st.button(
                    "Set the votes aside",
                    key=f"aside_{report.rater.id}",
                    icon=":material/block:",
                    on_click=notices.do,
                    args=(
                        lambda: quality.set_aside(report.rater.id),
                        "Set aside: the votes stay and do not count.",
                    ),
                )
            else:
                st.button(
                    "Bring the votes back",
                    key=f"back_{report.rater.id}",
                    icon=":material/undo:",
                    on_click=notices.do,
                    args=(lambda: quality.bring_back(report.rater.id), "The votes count again."),
                )
        for note in report.notes:
            st.warning(labels.plain(note), icon=":material/warning:")


@st.cache_data(max_entries=16, show_spinner="Looking at all votes")
def reports(
    _quality: Quality, study: StudyId, fast_ms: int, version: object
) -> tuple[list[RaterReport], Coefficient]:
    """Read from all votes, so once per state of the study."""
    return _quality.reports(study, fast_ms), _quality.alpha(study)


visit, study = access.enter()
frame.style()
notices.draw()
quality = visit.services.quality
names = access.names_of(visit.services.store.raters(study.id))
counters = visit.services.store.counters(study.id)
groups: dict[RaterId, str] = {seat.rater: seat.group for seat in visit.services.sessions.seats(study.id)}

st.header("Raters", anchor=False)
left, right = st.columns(2, vertical_alignment="bottom")
fast_s = left.number_input(
    "Too quick below, seconds",
    0.5,
    60.0,
    FAST_MS / 1000,
    0.5,
    key="fast_s",
    help="Time on screen before a vote.",
)
right.toggle(
    "Careless raters count less",
    study.settings.weigh_raters,
    key="weigh_raters",
    on_change=weigh,
    help="Then each vote counts as far as its rater follows the strengths that all votes tell: the column "
    "Reliability, 1 for the average vote. Needs several raters.",
)
asides = tuple(rater.id for rater in visit.services.store.raters(study.id) if rater.set_aside_at)
found, alpha = reports(
    quality, study.id, int(1000 * fast_s), (counters.content_version, counters.vote_version, asides)
)
if not found:
    st.info("Nobody has voted yet.", icon=":material/how_to_vote:")
    st.stop()
with st.container(gap="xxsmall"):
    value, _, interval = number(alpha).partition(" (")
    st.metric(
        "Krippendorff's alpha",
        value,
        help="Agreement of people on shared duels: 1 is complete, 0 that of chance.",
    )
    st.caption(
        f"95 %: {interval.rstrip(')')}, over {labels.counted(alpha.n, 'shared duel')}"
        if interval
        else "No duel was seen by two raters yet. Sessions can share duels out."
    )
st.dataframe(table(found), hide_index=True)
st.caption(
    "In brackets 95 % intervals. As others: same answer on shared duels. As before: same answer when an "
    "earlier duel came again with its sides swapped. Chose A: of the votes for a side; the sides are drawn "
    "by lot, so about half."
)
doubtful = [report for report in found if report.notes or report.rater.set_aside_at]
rest = [report for report in found if report not in doubtful]
for report in doubtful:
    draw_rater(report)
if rest:
    chosen = st.selectbox(
        "Another rater",
        [None, *rest],
        format_func=lambda one: "" if one is None else names[one.rater.id],
        key="another",
    )
    if chosen is not None:
        draw_rater(chosen)
