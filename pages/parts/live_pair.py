"""A pair whose outputs are written while the rater looks on: both panes grow, and no vote counts yet.

The session remembers which pair is wanted, so that nothing that happens elsewhere changes it under the
rater's eyes, and what failed, so that only a press on Retry pays for another call.
"""

import time
from collections.abc import Mapping
from dataclasses import astuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from optimizer.domain import Duel, Rater, Study, StudyId
from optimizer.errors import NothingToAsk, PromptDuelError
from optimizer.generation.ahead import study_budget
from optimizer.generation.cells import Cell
from optimizer.generation.drafts import Draft
from optimizer.pairing import Wanted
from optimizer.workshop import ShownDuel
from pages.parts import keys, labels, notices, output_text
from pages.parts.access import Visit

WANTED, SAMPLES, FAULTS = "live_wanted", "live_samples", "live_faults"  # the last two by side
READY_ONLY = "live_off"  # the study whose live outputs this session does without
LOOK_EVERY_S = 0.2
SIDES = {"first": "A", "second": "B"}
LEAKED = "This output quoted its own prompt, so it is not shown to raters."


def is_live(study: Study) -> bool:
    """Are outputs generated for this session?"""
    return bool(study.settings.connection) and st.session_state.get(READY_ONLY) != study.id


def next_duel(visit: Visit, study: Study, rater: Rater, announced: Duel | None = None) -> ShownDuel | Wanted:
    """The rater's duel, or the one that is wanted next and lacks outputs."""
    workshop = visit.services.workshop
    if not is_live(study):
        return workshop.next_duel(study.id, rater.id, announced)
    found = workshop.next_live_duel(study.id, rater.id, _remembered(), announced)
    if isinstance(found, ShownDuel):
        drop()
        visit.services.ahead.keep_up(study, rater.id, keys.typed(visit))
    elif found != _remembered():
        drop()
        st.session_state[WANTED] = astuple(found)
    return found


def still_wanted(visit: Visit, study: Study, rater: Rater) -> Wanted | None:
    """The pair that this session waits for, unless it is whole, or nothing is generated any more."""
    if WANTED not in st.session_state:
        return None
    try:
        found = next_duel(visit, study, rater)
    except NothingToAsk:
        return None
    return found if isinstance(found, Wanted) else None


def drop() -> None:
    """Forget the wanted pair: the next run asks for one anew. For callbacks."""
    for name in (WANTED, SAMPLES, FAULTS):
        st.session_state.pop(name, None)


def panes() -> dict[str, DeltaGenerator]:
    """Two empty panes, to be filled by ``watch``."""
    slots = {}
    with st.container(horizontal=True, key="pair", gap="medium"):
        for side in SIDES:
            with st.container(border=True, key=f"pane_{side}"):
                slots[side] = st.empty()
    return slots


def watch(visit: Visit, study: Study, wanted: Wanted, slots: Mapping[str, DeltaGenerator]) -> bool:
    """Write both outputs and show them as they grow. Returns whether both are whole; what failed has an
    error and a way to retry in its pane, at once, while the other side goes on."""
    faults: dict[str, str] = st.session_state.setdefault(FAULTS, {})
    drafts: dict[str, Draft] = {}
    for side in SIDES:
        if side not in faults:
            try:
                drafts[side] = _begin(visit, study, wanted, side)
            except PromptDuelError as error:
                faults[side] = str(error)

    def retry(side: str) -> None:
        cell = _cell(wanted, side)
        samples = st.session_state.setdefault(SAMPLES, {})
        with_settings = study.settings.connection, cell, study_budget(study.settings), keys.typed(visit)

        def act() -> None:
            samples[side] = visit.services.generation.write(study.id, *with_settings, retry=True).cell.sample

        if notices.attempt(act, "Asked again."):
            faults.pop(side, None)

    def show_fault(side: str) -> None:
        with slots[side].container():
            st.error(labels.plain(faults[side]), icon=":material/error:")
            st.button("Retry", key=f"retry_{side}", icon=":material/refresh:", on_click=retry, args=(side,))

    for side in faults:
        show_fault(side)
    began = time.monotonic()
    while drafts:
        for side, draft in list(drafts.items()):
            ended = draft.done
            if ended:
                del drafts[side]
            if ended and (fault := _fault(draft)):
                faults[side] = fault
                show_fault(side)
            else:
                _show(slots[side], draft.text, _state(draft, time.monotonic() - began))
        time.sleep(LOOK_EVERY_S)
    return not faults


def draw_ways_out(study: Study) -> None:
    """What else can be done about outputs that fail."""
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button("Another pair", key="another_pair", on_click=drop, type="tertiary")
        st.button(
            "Go on with the outputs that are there",
            key="ready_only",
            on_click=_switch,
            args=(study.id,),
            type="tertiary",
        )


def draw_switched_off(study: Study) -> None:
    """Say that live outputs are off, and offer them again."""
    if study.settings.connection and not is_live(study):
        with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
            st.caption("No outputs are generated for you: only pairs that are there are asked.")
            st.button("Generate again", key="live_again", on_click=_switch, args=("",), type="tertiary")


def _switch(study: StudyId | str) -> None:
    st.session_state[READY_ONLY] = study


def _remembered() -> Wanted | None:
    kept = st.session_state.get(WANTED)
    return Wanted(*kept) if kept else None


def _cell(wanted: Wanted, side: str) -> Cell:
    """What a side wants to be written: its first sample, or the one that a retry asked for."""
    prompt = wanted.first if side == "first" else wanted.second
    return Cell(prompt, wanted.input, st.session_state.get(SAMPLES, {}).get(side, 0))


def _begin(visit: Visit, study: Study, wanted: Wanted, side: str) -> Draft:
    """The draft of a side; one that has ended where an output is there already."""
    services, cell = visit.services, _cell(wanted, side)
    for output in services.store.outputs(study.id, cell.prompt, cell.input):
        if output.usable:
            there = Draft(cell)
            there.finish(output, called=False)
            return there
    settings = study.settings
    return services.generation.write(
        study.id, settings.connection, cell, study_budget(settings), keys.typed(visit)
    )


def _fault(draft: Draft) -> str:
    """Why a draft that has ended cannot be shown in a duel; empty when it can. Never quotes a prompt."""
    if draft.output is None:
        return str(draft.error)
    if draft.output.usable:
        return ""
    return LEAKED if "leak" in draft.output.settings else draft.output.error


def _state(draft: Draft, seconds: float) -> str:
    if draft.done:
        return "Complete."
    return f"{'Writing' if draft.text else 'Waiting for the first words'}, {seconds:.0f} s"


def _show(slot: DeltaGenerator, text: str, state: str) -> None:
    with slot.container():
        if text.strip():
            output_text.draw(text, output_text.fitting_mode((text, text)))
        st.caption(f":material/edit: {state}")
