"""Proposals as cards: what changed and why, the difference, the checks; accept, edit, reject."""

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from optimizer.domain import Prompt, PromptId, Study
from optimizer.evolution.checks import Check, acceptable
from optimizer.evolution.offers import Offer, OfferState, open_ones
from optimizer.proposers import PROPOSERS
from optimizer.visible import visible
from pages.parts import diff, labels, notices
from pages.parts.access import Visit

Colour = Literal["green", "red", "orange"]

MOST_CARDS = 10
TALL = 220
PASSED: tuple[str, Colour] = (":material/check:", "green")
MISSED: tuple[str, Colour] = (":material/close:", "red")
DOUBTFUL: tuple[str, Colour] = (":material/warning:", "orange")
STATES = {OfferState.ACCEPTED: "Accepted", OfferState.REJECTED: "Rejected", OfferState.FAILED: "Nothing came"}


def draw(visit: Visit, study: Study) -> None:
    """The open ones, newest first, then those that were decided."""
    offers = visit.services.evolution.offers.all(study.id)
    prompts = {prompt.id: prompt for prompt in visit.services.store.prompts(study.id)}
    waiting = open_ones(offers)[::-1]
    if not offers:
        st.caption(
            "Proposals will stand here, to be accepted, edited or rejected. None enters the pool by itself."
        )
        return
    if waiting:
        st.subheader(f"{labels.counted(len(waiting), 'proposal')} to decide on", anchor=False)
    for offer in waiting[:MOST_CARDS]:
        _card(visit, offer, prompts)
    if len(waiting) > MOST_CARDS:
        st.caption(f"The newest {MOST_CARDS}; the others follow when these are decided.")
    decided = [offer for offer in reversed(offers) if offer.state is not OfferState.OPEN]
    if decided:
        _decided(visit, decided, prompts)


def _card(visit: Visit, offer: Offer, prompts: Mapping[PromptId, Prompt]) -> None:
    parents = [prompts[parent] for parent in offer.parents if parent in prompts]
    editing = st.session_state.get(f"editing_{offer.id}", False)
    with st.container(border=True, key=f"offer_{offer.id}"):
        label = PROPOSERS[offer.proposer].label if offer.proposer in PROPOSERS else offer.proposer
        source = f" of {' and '.join(labels.plain(parent.name) for parent in parents)}" if parents else ""
        st.markdown(f"**{labels.plain(offer.change)}**")
        st.caption(
            f"{labels.plain(label)}{source}"
            + (f", by {labels.plain(offer.model or offer.connection)}" if offer.connection else "")
            + f". Why: {labels.plain(offer.why)}"
        )
        text = offer.text
        if editing:
            text = st.text_area("Text", offer.text, key=f"text_{offer.id}", height=TALL)
            st.text_input("Name", _name(visit, offer, parents), key=f"name_{offer.id}", max_chars=200)
        checks = visit.services.evolution.offers.checks(offer, text)
        _draw_checks(checks)
        with st.container(height=TALL if len(text) > 700 else "content", border=False):
            if parents:
                diff.draw(parents[0].text, text, parents[0].name, "the proposal")
            else:
                st.code(visible(text), language=None, wrap_lines=True)
        _actions(visit, offer, acceptable(checks), editing)


def _name(visit: Visit, offer: Offer, parents: Sequence[Prompt]) -> str:
    wanted = parents[0].name if parents else offer.proposer.replace("_", " ").capitalize()
    return visit.services.prompts.suggest_name(offer.study, wanted)


def _draw_checks(checks: Sequence[Check]) -> None:
    """A badge for each, with a sign and not by colour alone; what it found in the words beside it."""
    with st.container(horizontal=True):
        for one in checks:
            icon, colour = PASSED if one.passed else MISSED if one.must else DOUBTFUL
            st.badge(one.label, icon=icon, color=colour, help=labels.plain(one.told))
    told = [one.told for one in checks if not one.passed]
    if told:
        st.caption(labels.plain(" ".join(told)))


def _actions(visit: Visit, offer: Offer, may: bool, editing: bool) -> None:
    with st.container(horizontal=True):
        st.button(
            "Accept the edited text" if editing else "Accept",
            key=f"accept_{offer.id}",
            type="primary",
            icon=":material/check:",
            disabled=not may,
            on_click=_accept,
            args=(visit, offer, editing),
            help="It enters the pool as a child of its parent, and gets its first duels.",
        )
        st.button(
            "Stop editing" if editing else "Edit",
            key=f"edit_{offer.id}",
            icon=":material/edit:",
            on_click=_edit,
            args=(offer, not editing),
        )
        st.button(
            "Reject", key=f"reject_{offer.id}", icon=":material/close:", on_click=_reject, args=(visit, offer)
        )


def _edit(offer: Offer, editing: bool) -> None:
    st.session_state[f"editing_{offer.id}"] = editing


def _accept(visit: Visit, offer: Offer, editing: bool) -> None:
    text = st.session_state.get(f"text_{offer.id}") if editing else None
    name = (st.session_state.get(f"name_{offer.id}") or "") if editing else ""
    notices.attempt(
        lambda: visit.services.evolution.offers.accept(offer.id, text, name),
        "Accepted. It needs outputs before it can be voted on.",
    )


def _reject(visit: Visit, offer: Offer) -> None:
    notices.attempt(lambda: visit.services.evolution.offers.reject(offer.id), "Rejected.")


def _reopen(visit: Visit, offer: Offer) -> None:
    notices.attempt(lambda: visit.services.evolution.offers.reopen(offer.id), "To be decided on again.")


def _decided(visit: Visit, decided: Sequence[Offer], prompts: Mapping[PromptId, Prompt]) -> None:
    with st.expander(f"Decided: {labels.counted(len(decided), 'proposal')}", key="evolve_decided"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Proposal": [labels.one_line(offer.change or offer.error, 90) for offer in decided],
                    "What became of it": [STATES[offer.state] for offer in decided],
                    "Prompt": [
                        prompts[offer.prompt].name if offer.prompt in prompts else "" for offer in decided
                    ],
                    "Proposer": [offer.proposer for offer in decided],
                    "Calls": [offer.calls for offer in decided],
                    "Tokens": [offer.tokens for offer in decided],
                    "When": [labels.local_time(offer.at) for offer in decided],
                }
            ),
            hide_index=True,
        )
        rejected = {offer.id: offer for offer in decided if offer.state is OfferState.REJECTED}
        if rejected:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                chosen = st.selectbox(
                    "A rejected one",
                    list(rejected),
                    format_func=lambda key: labels.one_line(rejected[key].change, 80),
                    key="evolve_rejected",
                )
                st.button(
                    "Take it up again",
                    key="evolve_reopen",
                    icon=":material/undo:",
                    on_click=_reopen,
                    args=(visit, rejected[chosen]),
                )
