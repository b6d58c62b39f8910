"""The line under the answers: how many votes, who leads, how sure, and how many more."""

import streamlit as st

from optimizer.domain import Study
from pages.parts.access import Visit


def draw(visit: Visit, study: Study) -> None:
    """One sentence for the person who runs the study."""
    counters = visit.services.store.counters(study.id)
    st.caption(f"{counters.votes:,} votes so far", text_alignment="center")
