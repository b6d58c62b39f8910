"""Whose votes are looked at: kept in the URL, so that a link restores the view."""

import streamlit as st

from optimizer.domain import JudgeVotes, RaterKind, Study
from optimizer.results import VoteFilter
from optimizer.standings import Standings
from pages.parts import access, labels
from pages.parts.access import Visit

EVERYONE, HUMANS, JUDGES = "Everyone", "People", "Judges"
KINDS = {EVERYONE: None, HUMANS: RaterKind.HUMAN, JUDGES: RaterKind.JUDGE}


def draw(visit: Visit, study: Study) -> VoteFilter:
    """The filter row; returns what was chosen."""
    store = visit.services.store
    names = access.names_of(store.raters(study.id))
    raters = {f"{name} ({rater[:4]})": rater for rater, name in names.items()}
    tags = sorted({tag for row in store.inputs(study.id) for tag in row.tags})
    with st.expander("Filter", icon=":material/filter_alt:", key="filters"):
        left, middle, right = st.columns(3)
        with left:
            kind = st.segmented_control(
                "Votes of", list(KINDS), default=EVERYONE, key="kind", bind="query-params", required=True
            )
            audit = st.checkbox(
                "Random audit duels only",
                key="audit",
                bind="query-params",
                help="Their win rates are unbiased, because chance chose the pairs.",
            )
        chosen_tags = middle.multiselect("Input tags", tags, key="tags", bind="query-params")
        chosen_raters = right.multiselect("Raters", list(raters), key="raters", bind="query-params")
    return VoteFilter(
        frozenset(raters[label] for label in chosen_raters), frozenset(chosen_tags), KINDS[kind], audit
    )


def described(chosen: VoteFilter, standings: Standings) -> str:
    """Whose votes these standings hold, in words."""
    parts = []
    if standings.human_votes:
        parts.append(f"{labels.counted(standings.human_votes, 'vote')} by people")
    if standings.judge_votes:
        parts.append(f"{labels.counted(standings.judge_votes, 'vote')} by judges")
    held = " and ".join(parts) or "no votes"
    filtered = " Filtered." if chosen != VoteFilter() else ""
    return f"These standings hold {held}.{filtered} Skips, replays and raters set aside do not count."


def left_out(visit: Visit, study: Study, chosen: VoteFilter, standings: Standings) -> str:
    """That judges voted too, where their votes stand beside the people's; "" where nothing is left out."""
    if chosen.kind or not standings.human_votes or study.settings.judge_votes != JudgeVotes.BESIDE:
        return ""
    if all(rater.kind is RaterKind.HUMAN for rater in visit.services.store.raters(study.id)):
        return ""
    return "Judges' votes stand beside these: choose Judges in the filter to see them."
