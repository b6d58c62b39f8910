"""Groups: what each group of raters prefers, and whether they disagree on the winner."""

import pandas as pd
import streamlit as st

from optimizer.domain import RaterId, Study
from optimizer.sessions.groups import FEWEST_RATERS, FEWEST_VOTES, Disagreement, Groups, GroupView
from pages.parts import access, frame, labels, notices

BY_GROUP, BY_RATER = "Groups", "Single raters"


def table(views: list[GroupView]) -> pd.DataFrame:
    """P(best) of every prompt in every group that has enough votes; an empty cell says nothing."""
    prompts = [
        row.prompt for row in visit.services.results.standings(study).rows if row.prompt.retired_at is None
    ]
    columns: dict[str, list[object]] = {"Prompt": [prompt.name for prompt in prompts]}
    for view in views:
        best = {row.prompt.id: 100 * row.p_best for row in view.standings.rows}
        shown: list[object] = [best.get(prompt.id) if view.enough else None for prompt in prompts]
        columns[f"{view.name} ({view.votes})"] = shown
    return pd.DataFrame(columns)


def verdict(found: Disagreement) -> None:
    """The answer first, in a sentence."""
    enough = [view for view in found.groups if view.enough]
    if not found.known:
        st.info(
            f"Too little to tell: a group is compared from {FEWEST_RATERS} raters and {FEWEST_VOTES} votes "
            f"on, and {labels.counted(len(enough), 'group')} {'has' if len(enough) == 1 else 'have'} that.",
            icon=":material/hourglass_empty:",
        )
        return
    leaders = {view.leader.id for view in enough}
    chance = f"Chance alone would give as much difference with a probability of {found.p_value:.1%}."
    if not found.sure:
        st.success(f"**No sign that the groups disagree.** {chance}", icon=":material/handshake:")
    elif len(leaders) > 1:
        told = "; ".join(f"{labels.plain(view.name)}: “{labels.plain(view.leader.name)}”" for view in enough)
        st.warning(f"**The groups disagree on the winner.** {told}. {chance}", icon=":material/call_split:")
    else:
        st.warning(
            f"**The groups differ, but “{labels.plain(enough[0].leader.name)}” leads in each.** {chance}",
            icon=":material/compare:",
        )


def draw_single() -> None:
    """Each rater's own votes: shares only, and only from enough of them."""
    names = {
        prompt.id: prompt.name for prompt in visit.services.store.prompts(study.id) if not prompt.retired_at
    }
    rows = []
    called = access.names_of(visit.services.store.raters(study.id))
    for view in views_of_raters(visit.services.groups, study, study.id, version, called):
        if view.votes < FEWEST_VOTES:
            continue
        rates = {row.prompt.id: row for row in view.standings.rows}
        shares = {name: 100 * rates[id].observed for id, name in names.items() if id in rates}
        rows.append({"Rater": view.name, "Votes": view.votes, **shares})
    if not rows:
        st.info(f"A rater is shown from {FEWEST_VOTES} votes on.", icon=":material/hourglass_empty:")
        return
    percent = st.column_config.NumberColumn(format="%.0f %%")
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=dict.fromkeys(names.values(), percent))
    st.caption(
        "How often each prompt won the duels that this rater was asked, ties as half. With so few votes much "
        "of what differs is chance, and each was asked other pairs."
    )


@st.cache_data(max_entries=8, show_spinner="Comparing")
def compared(_groups: Groups, _study: Study, study_id: str, by: str, version: object) -> Disagreement:
    """Read from all votes, so once per state of the study."""
    return _groups.compare(_study, group_of)


@st.cache_data(max_entries=8, show_spinner="Comparing")
def views_of_raters(
    _groups: Groups, _study: Study, study_id: str, version: object, names: dict[RaterId, str]
) -> list[GroupView]:
    return _groups.single(_study, names)


visit, study = access.enter()
frame.style()
notices.draw()
counters = visit.services.store.counters(study.id)
version = (counters.content_version, counters.vote_version, study.settings)
seats = visit.services.sessions.seats(study.id)
group_of: dict[RaterId, str] = {seat.rater: seat.group for seat in seats if seat.group}

st.header("Groups", anchor=False)
which = st.segmented_control("Compare", [BY_GROUP, BY_RATER], default=BY_GROUP, key="compare", required=True)
if which == BY_RATER:
    draw_single()
    st.stop()
if not group_of:
    st.info(
        "Nobody has said to which group they belong. Name the groups when you open a session, and raters "
        "choose theirs when they join.",
        icon=":material/diversity_3:",
    )
    st.page_link("host/sessions.py", label="Sessions", icon=":material/groups:")
    st.stop()
found = compared(visit.services.groups, study, study.id, which, (*version, tuple(sorted(group_of.items()))))
verdict(found)
for view in found.groups:
    said = f"{labels.counted(view.raters, 'rater')}, {labels.counted(view.votes, 'vote')}"
    if view.enough:
        st.markdown(
            f"**{labels.plain(view.name)}** ({said}): “{labels.plain(view.leader.name)}” leads, best "
            f"with a probability of {view.p_best:.0%}."
        )
    else:
        st.markdown(f"**{labels.plain(view.name)}** ({said}): too few to say.")
percent = st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100)
frame_of = table([view for view in found.groups if view.enough])
if len(frame_of.columns) > 1:
    st.markdown("Probability of being the best prompt, by group (votes)")
    st.dataframe(
        frame_of,
        hide_index=True,
        column_config={name: percent for name in frame_of.columns if name != "Prompt"},
    )
st.caption(
    "Each column is the group's own standings. Whether groups differ is tested by shuffling whole raters "
    "between them 2,000 times: votes of one person belong together."
)
