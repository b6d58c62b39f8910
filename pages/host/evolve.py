"""Evolve: new prompts from what the voters liked, by hand or as a whole loop; and where each came from."""

import streamlit as st

from optimizer.evolution.offers import open_ones
from optimizer.evolution.plan import Votes
from optimizer.work.nouns import Kind
from pages.parts import (
    access,
    evolve_lineage,
    evolve_offers,
    evolve_pool,
    evolve_propose,
    evolve_runs,
    frame,
    labels,
    notices,
    tasks,
)

visit, study = access.enter()
frame.style()
notices.draw()
known = {connection.name: connection for connection in visit.services.connections.all()}

st.header("Evolve", anchor=False)
st.caption("New prompts from what voters liked and why. A child takes its parent's place by votes alone.")
waiting = len(open_ones(visit.services.evolution.offers.all(study.id)))
if waiting and st.session_state.get("evolve_tab", "Propose") != "Propose":
    st.caption(f":material/pending: {labels.counted(waiting, 'proposal')} to decide on, on the tab Propose.")
propose_tab, run_tab, lineage_tab, pool_tab = st.tabs(
    ["Propose", "Run", "Lineage", "Pool"], on_change="rerun", key="evolve_tab", bind="query-params"
)
with propose_tab:
    if propose_tab.open:
        evolve_propose.draw(visit, study, known)
        evolve_offers.draw(visit, study)
with run_tab:
    if run_tab.open:
        tasks.draw(visit, study, Kind.EVOLVE)
        evolve_runs.draw(visit, study, known)
with lineage_tab:
    if lineage_tab.open:
        evolve_lineage.draw(visit, study, Votes.BOTH.chosen)
with pool_tab:
    if pool_tab.open:
        evolve_pool.draw(visit, study, Votes.BOTH.chosen)
