"""A critic's list of faults beside the pair: after the vote, and only when somebody asks for it."""

import streamlit as st

from optimizer.domain import Vote
from optimizer.errors import PromptDuelError
from pages.parts import keys, labels
from pages.parts.access import Visit


def draw(visit: Visit, vote: Vote) -> None:
    """Folded away; where no connection is known there is nothing to ask."""
    names = [connection.name for connection in visit.services.connections.all()]
    if not names:
        return
    with st.expander("What would a critic say?", key=f"critic_{vote.id}", on_change="rerun") as opened:
        if opened.open:
            st.fragment(_ask, key=f"critic_of_{vote.id}")(visit, vote, names)


def _ask(visit: Visit, vote: Vote, names: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Critic", names, key="critic_with", persist_state="session", width=280)
        asked = st.button(
            "List the faults: 1 or 2 calls", key=f"critic_ask_{vote.id}", icon=":material/rate_review:"
        )
    kept = {side: f"critic_{side}_{vote.id}" for side in ("first", "second", "model")}
    if asked:
        services = visit.services
        try:
            with st.spinner("Waiting for an answer…", show_time=True):
                lane = services.connections.lane(name, keys.typed(visit))
                found = services.judging.critic.of(vote.duel, lane.under(urgent=True))
        except PromptDuelError as error:
            st.error(labels.plain(str(error)), icon=":material/error:")
            return
        st.session_state[kept["first"]] = "\n".join(found.first)
        st.session_state[kept["second"]] = "\n".join(found.second)
        st.session_state[kept["model"]] = found.model
    if kept["model"] not in st.session_state:
        return
    for column, side, letter in zip(st.columns(2, gap="medium"), ("first", "second"), "AB", strict=True):
        faults = st.session_state[kept[side]].splitlines()
        column.markdown(f"**{letter}**: {labels.counted(len(faults), 'fault')} found")
        column.markdown("\n".join(f"- {labels.plain(fault)}" for fault in faults))
    st.caption(f"The opinion of {labels.plain(st.session_state[kept['model']])}; it may be wrong.")
