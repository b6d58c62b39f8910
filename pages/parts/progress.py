"""The line under the answers: how many votes, who leads, how sure, and how many more."""

import streamlit as st

from optimizer.domain import Study
from pages.parts import advice
from pages.parts.access import Visit

FEWEST = 5  # votes before a leader is named: earlier ones would only tempt


def draw(visit: Visit, study: Study) -> None:
    """One sentence for the person who runs the study."""
    standings = visit.services.results.standings(study)
    votes = f"{standings.votes:,} {'vote' if standings.votes == 1 else 'votes'}"
    told = f" · {advice.sentence(standings)}" if standings.votes >= FEWEST else ""
    st.caption(f"{votes}{told}", text_alignment="center")
