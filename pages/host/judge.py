"""Judges: let models vote within a budget, see how far they may be trusted, and confirm what they doubt."""

import streamlit as st

from optimizer.work.nouns import Kind
from pages.parts import (
    access,
    frame,
    judge_contest,
    judge_plan,
    judge_report,
    judge_review,
    judge_rubric,
    judge_runs,
    notices,
    tasks,
)
from pages.parts.study_form import JUDGE_VOTES

visit, study = access.enter()
frame.style()
notices.draw()
known = {connection.name: connection for connection in visit.services.connections.all()}

st.header("Judge", anchor=False)
st.caption(
    f"Models that vote. Their votes count **{JUDGE_VOTES[study.settings.judge_votes].lower()}** in this "
    "study's standings; its settings on the screen Studies say how."
)
run_tab, trust_tab, review_tab, rubric_tab, contest_tab = st.tabs(
    ["Run", "Trust", "Review", "Rubric", "Challenge"], on_change="rerun", key="judge_tab", bind="query-params"
)
with run_tab:
    if run_tab.open:
        tasks.draw(visit, study, Kind.JUDGE)
        busy = judge_runs.busy(visit, study)  # then it comes first: a laptop shows half of this screen
        if busy:
            judge_runs.draw(visit, study)
        judge_plan.draw(visit, study, known)
        if not busy:
            judge_runs.draw(visit, study)
with trust_tab:
    if trust_tab.open:
        judge_report.draw(visit, study)
with review_tab:
    if review_tab.open:
        judge_review.draw(visit, study)
with rubric_tab:
    if rubric_tab.open:
        judge_rubric.draw(visit, study, known)
with contest_tab:
    if contest_tab.open:
        judge_contest.draw(visit, study, known)
        judge_runs.draw(visit, study, challenges=True)
