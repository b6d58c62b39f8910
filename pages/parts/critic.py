"""A critic's list of faults beside the pair, on request: after the vote, or before it if the host allows."""

import streamlit as st

from optimizer.domain import DuelId, Study
from optimizer.errors import PromptDuelError
from pages.parts import keys, labels
from pages.parts.access import Visit


def before_the_vote(visit: Visit, study: Study, duel: DuelId) -> None:
    """Under a pair that is open, where the study allows it; a critic's calls are the host's to spend."""
    if study.settings.critic_first and visit.session is None:
        draw(visit, duel)


def draw(visit: Visit, duel: DuelId) -> None:
    """Folded away; where no connection is known there is nothing to ask."""
    names = [connection.name for connection in visit.services.connections.all()]
    if not names:
        return
    with st.expander("What would a critic say?", key=f"critic_{duel}", on_change="rerun") as opened:
        if opened.open:
            st.fragment(_ask, key=f"critic_of_{duel}")(visit, duel, names)


def _ask(visit: Visit, duel: DuelId, names: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Critic", names, key="critic_with", persist_state="session", width=280)
        asked = st.button(
            "List the faults: 1 or 2 calls", key=f"critic_ask_{duel}", icon=":material/rate_review:"
        )
    kept = {side: f"critic_{side}_{duel}" for side in ("first", "second", "model")}
    if asked:
        services = visit.services
        try:
            with st.spinner("Waiting for an answer…", show_time=True):
                lane = services.connections.lane(name, keys.typed(visit))
                found = services.judging.critic.of(duel, lane.under(urgent=True))
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
