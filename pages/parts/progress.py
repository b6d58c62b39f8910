"""The line under the answers: how many votes, who leads, how sure, and how many more."""

import streamlit as st

from optimizer.domain import Study
from optimizer.stats.stopping import AdviceKind
from pages.parts import advice, seat
from pages.parts.access import Visit

ENOUGH = (AdviceKind.STOP, AdviceKind.PRACTICALLY_EQUAL)
FEWEST = 5  # votes before a leader is named: earlier ones would only tempt


def draw(visit: Visit, study: Study) -> None:
    """One sentence for the person who runs the study, which may be one vote behind; another for raters."""
    if visit.session is not None:
        seat.draw_line(visit)
        return
    votes = visit.services.store.counters(study.id).votes
    told = f"{votes:,} {'vote' if votes == 1 else 'votes'}"
    standings = visit.services.results.latest(study)
    if standings is not None and standings.votes >= FEWEST:
        told += f" · {advice.headed(standings)}"
    st.caption(told, text_alignment="center")
    if standings is not None and standings.advice is not None and standings.advice.kind in ENOUGH:
        with st.container(horizontal=True, horizontal_alignment="center", key="what_next"):
            st.page_link("host/report.py", label="Read the report", icon=":material/summarize:")
            st.page_link("host/standings.py", label="Standings", icon=":material/leaderboard:")
