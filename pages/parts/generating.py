"""Outputs from live models: generate what is missing, or what people need while they vote; what it took."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from optimizer.domain import Connection, PromptId, Study, StudyId
from optimizer.errors import PromptDuelError
from optimizer.generation import Generation
from optimizer.generation.ahead import study_budget
from optimizer.generation.cells import MOST_SAMPLES, Order
from optimizer.generation.costs import Preview, money_text
from optimizer.generation.stability import Stability
from optimizer.llm.budget import NOTHING, Budget, Spend
from optimizer.work.nouns import Kind
from pages.parts import jobs, labels, limits, notices, tasks
from pages.parts.access import Visit

STEADY, VARIED = 0.25, 0.5  # distance of repeats; outputs of different prompts differ by 0.5 to 0.6
OFF = "Nothing: duels are made of the outputs that are there"


def draw(visit: Visit, study: Study) -> None:
    """The tab. Opening it calls and costs nothing."""
    known = {connection.name: connection for connection in visit.services.connections.all()}
    if not known:
        st.info("To generate outputs, connect to a model first.", icon=":material/hub:")
        st.page_link("host/models.py", label="Models", icon=":material/arrow_forward:")
        return
    tasks.draw(visit, study, Kind.GENERATE)
    busy = jobs.busy(visit, study)
    if busy:
        jobs.draw(visit, study)
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, key="generate_now", height="stretch"):
        _draw_missing(visit, study, known, busy or tasks.busy(visit, study, Kind.GENERATE))
    with right, st.container(border=True, key="generate_ahead", height="stretch"):
        _draw_ahead(visit, study, known)
    if not busy:
        jobs.draw(visit, study)
        _draw_figures(visit, study)


# -- now -----------------------------------------------------------------------------------------


def _draw_missing(visit: Visit, study: Study, known: Mapping[str, Connection], busy: bool) -> None:
    st.markdown("**Generate what is missing**")
    names = list(known)
    chosen = study.settings.connection
    left, right = st.columns(2)
    name = left.selectbox("Model", names, names.index(chosen) if chosen in names else 0, key="generate_with")
    samples = right.number_input(
        "Samples of each output",
        1,
        MOST_SAMPLES,
        1,
        key="generate_samples",
        help="More than one shows how steady a prompt is. Duels take turns with them.",
    )
    budget = limits.fields("generate", Budget(), "The most this may take")
    retry = st.toggle(
        "Ask again where nothing came that could be shown", key="generate_retry", help="As further samples."
    )
    cut = st.toggle(
        "Show answers that were cut off",
        key="generate_cut",
        help="Otherwise an answer that reached its token limit is held back.",
    )
    bulk = st.toggle(
        "Send all as one batch",
        key="generate_bulk",
        help="Where the server takes batches: often cheaper than shown, and done within a day.",
    )
    order = Order(study.id, name, int(samples), budget=budget, retry=retry, accept_truncated=cut, bulk=bulk)
    if busy:
        st.button("Generating…", key="generating", icon=":material/bolt:", disabled=True)
    else:
        _draw_button(visit, order, known[name])


def _draw_button(visit: Visit, order: Order, connection: Connection) -> None:
    """The cost is on the button, so nobody spends without having seen it."""
    version = visit.services.store.counters(order.study).content_version
    try:
        preview = _preview(visit.services.generation, order, connection, version)
    except PromptDuelError as error:
        st.error(labels.plain(str(error)), icon=":material/error:")
        return
    if preview.calls or preview.reused:
        st.button(
            labels.plain(preview.button),
            type="primary",
            key="generate",
            icon=":material/bolt:",
            on_click=tasks.start,
            args=(visit, order, "generate"),
        )
        if preview.money is None:
            st.caption("The connection has no prices, so the cost cannot be foretold.")
    elif not preview.unfit:
        _say_all_is_there(visit, order, connection, version)
    if preview.unfit:
        told = f"{labels.counted(preview.unfit, 'output')} cannot be made. {preview.fault}"
        st.warning(labels.plain(told), icon=":material/error:")


def _say_all_is_there(visit: Visit, order: Order, connection: Connection, version: int) -> None:
    """Nothing is left to call for; what came may still be nothing to show."""
    again = _preview(visit.services.generation, replace(order, retry=True), connection, version)
    held = again.calls + again.reused
    if not held:
        st.success("Every output is there.", icon=":material/check:")
        return
    st.warning(
        f"{labels.counted(held, 'output')} came but cannot be shown. Ask again above, or read them in the "
        "grid and release those that may be shown.",
        icon=":material/front_hand:",
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _preview(_generation: Generation, order: Order, connection: Connection, version: int) -> Preview:
    """What the order would take, worked out once per state of the study."""
    return _generation.preview(order)


# -- ahead of need -------------------------------------------------------------------------------


def _draw_ahead(visit: Visit, study: Study, known: Mapping[str, Connection]) -> None:
    st.markdown("**While people vote**")
    settings = study.settings
    prefix = f"ahead_{study.id}"
    options = ["", *known]
    if settings.connection and settings.connection not in known:
        options.append(settings.connection)
        st.warning(labels.plain(f"The connection '{settings.connection}' is gone. Choose another one."))
    st.selectbox(
        "Generate what the next duels need with",
        options,
        options.index(settings.connection),
        format_func=lambda name: name or OFF,
        key=f"{prefix}_with",
        help="While somebody reads a pair, the outputs of the likeliest next pairs are made.",
    )
    limits.fields(prefix, study_budget(settings), "The most that this study's outputs may take in all")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Save", key=f"{prefix}_save", on_click=_save, args=(visit, study, prefix))
        if settings.connection:
            st.page_link("rater/duel.py", label="Vote", icon=":material/compare_arrows:")
    failed = visit.services.ahead.last_error.get(study.id)
    if settings.connection and failed:
        st.error(labels.plain(failed), icon=":material/error:")


def _save(visit: Visit, study: Study, prefix: str) -> None:
    name = st.session_state[f"{prefix}_with"]
    most = limits.typed(prefix)
    settings = replace(
        study.settings,
        connection=name,
        output_calls=most.calls,
        output_tokens=most.tokens,
        output_money=most.money,
    )

    def act() -> None:
        if name:
            most.check(visit.services.connections.named(name))
        visit.services.studies.edit(study.id, settings=settings)
        if not name:
            visit.services.ahead.unfollow(study.id)

    done = f"'{name}' generates while people vote." if name else "Nothing is generated while people vote."
    notices.attempt(act, done)


# -- what it took --------------------------------------------------------------------------------


def _draw_figures(visit: Visit, study: Study) -> None:
    version = visit.services.store.counters(study.id).content_version
    spent, steady = _figures(visit.services.generation, study.id, version)
    total = sum(spent.values(), NOTHING)
    if not total.calls and not steady:
        return
    st.markdown(f"**What it took:** {labels.plain(jobs.took(total))}")
    rows = [
        {
            "Prompt": labels.plain(labels.one_line(labels.of_prompt(prompt), 60)),
            "Calls": f"{spent[prompt.id].calls:,}",
            "Tokens": f"{spent[prompt.id].tokens:,}",
            "Cost": labels.plain(money_text(spent[prompt.id].money)) if spent[prompt.id].money else "–",
            "Repeats": badge(steady.get(prompt.id)),
        }
        for prompt in visit.services.store.prompts(study.id)
    ]
    st.table(pd.DataFrame(rows).set_index("Prompt"))
    if steady:
        st.caption(
            "Repeats: how far samples of one prompt on the same input differ in their words, from 0 (equal) "
            "to 1 (nothing in common), and how their lengths spread. Outputs of different prompts differ "
            "by about 0.5."
        )


def badge(figure: Stability | None) -> str:
    """How steady a prompt is, in a word and two figures."""
    if figure is None:
        return "one sample"
    word, colour = (
        ("steady", "green")
        if figure.distance < STEADY
        else ("varied", "blue")
        if figure.distance < VARIED
        else ("unsteady", "orange")
    )
    return f":{colour}-badge[{word}] {figure.distance:.2f}, length ±{figure.length_spread:.0%}"


@st.cache_data(max_entries=16, show_spinner=False)
def _figures(
    _generation: Generation, study: StudyId, version: int
) -> tuple[dict[PromptId, Spend], dict[PromptId, Stability]]:
    """Cost and stability by prompt; reads all outputs, so once per state of the study."""
    return _generation.spent(study), _generation.stability(study)
