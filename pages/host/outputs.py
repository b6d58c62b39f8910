"""The outputs: which prompt has answered which input, what is missing, and each one to read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from optimizer.checks import score_of
from optimizer.domain import Input, InputId, Output, Prompt, PromptId
from optimizer.facts import next_to_score, scored
from pages.parts import access, frame, generating, labels, notices, output_text, upload

PER_PAGE = 50  # inputs in the grid at a time
MISSING, FAILED, HELD = "missing", "failed", "held back"
# Translucent, so that they suit light and dark; the cell's word or number says the same.
SHADES = {MISSING: "rgba(213,94,0,0.22)", FAILED: "rgba(204,121,167,0.35)", HELD: "rgba(230,159,0,0.30)"}
Id = TypeVar("Id", bound=str)
INPUT, PROMPT, TAGS = "output_input", "output_prompt", ":tags"  # keys, and query parameters


def cell(prompt: PromptId, row: InputId) -> str:
    """How many outputs can be shown here, or why none."""
    usable = counts[prompt, row, True]
    if usable or not counts[prompt, row, False]:
        return f"{usable}" if usable else MISSING
    return HELD if (prompt, row) in with_text else FAILED


def shade(text: str) -> str:
    """Darker for more outputs."""
    colour = SHADES.get(text) or f"rgba(0,114,178,{min(0.12 + 0.08 * int(text), 0.5):.2f})"
    return f"background-color: {colour}"


def grid(rows: Sequence[Input]) -> Styler:
    """One line per input, one column per prompt."""
    cells = {prompt.id: [cell(prompt.id, row.id) for row in rows] for prompt in prompts}
    names = {
        INPUT: [input_names[row.id] for row in rows],
        TAGS: [", ".join(row.tags) for row in rows],
    }
    return pd.DataFrame(names | cells).style.map(shade, subset=[prompt.id for prompt in prompts])


def pick_cell(key: str, rows: Sequence[Input]) -> None:
    for place, column in st.session_state[key]["selection"]["cells"]:
        st.session_state[INPUT] = rows[place].id
        if column not in (INPUT, TAGS):
            st.session_state[PROMPT] = column


def draw_grid(rows: Sequence[Input]) -> None:
    key = f"grid_{study.id}"
    st.dataframe(
        grid(rows),
        hide_index=True,
        key=key,
        height=min(35 * (len(rows) + 1) + 3, 460),
        selection_mode="single-cell",
        on_select=lambda: pick_cell(key, rows),
        column_config={
            INPUT: st.column_config.TextColumn("Input", pinned=True, width="medium"),
            TAGS: st.column_config.TextColumn("Tags", width="small"),
            **{
                str(prompt.id): st.column_config.TextColumn(
                    labels.one_line(prompt.name, 30), help=labels.plain(prompt.name), width="small"
                )
                for prompt in prompts
            },
        },
    )


def draw_summary() -> None:
    cells = len(prompts) * len(in_use)
    empty = sum(not counts[prompt.id, row.id, True] for prompt in prompts for row in in_use)
    held = sum(counts[prompt.id, row.id, True] for prompt in prompts for row in in_use)
    failed = sum(number for (_, _, usable), number in counts.items() if not usable)
    told = f"{labels.counted(held, 'output')} for {len(prompts):,} prompts × {len(in_use):,} inputs."
    told += f" {empty:,} of {cells:,} pairs have none." if empty else " Every pair has one."
    if failed:
        told += f" {labels.counted(failed, 'output')} failed or held back: never shown in a duel."
    st.caption(f"{told} Click a cell to read it.")


def pick(what: str, options: Sequence[Id], names: Mapping[Id, str], key: str) -> Id:
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    return st.selectbox(what, options, format_func=lambda one: names[one], key=key, bind="query-params")


def draw_reader(rows: Sequence[Input]) -> None:
    """One output, chosen by prompt and input."""
    every_prompt = {prompt.id: prompt for prompt in store.prompts(study.id)}
    offered = {row.id: row for row in rows}
    linked = next((row for row in inputs if row.id == st.session_state.get(INPUT)), None)
    if linked is not None:
        offered.setdefault(linked.id, linked)
    left, right = st.columns(2)
    with left:
        names = {key: prompt.name for key, prompt in every_prompt.items()}
        prompt = pick("Prompt", list(names), names, PROMPT)
    with right:
        row = offered[pick("Input", list(offered), input_names, INPUT)]
    with st.expander("The whole input", icon=":material/input:", key="whole_input_of_output"):
        for name, value in row.variables.items():
            st.caption(labels.plain(name))
            output_text.draw(value, output_text.RAW)
    samples = store.outputs(study.id, prompt, row.id)
    if not samples:
        st.info(f"{labels.plain(every_prompt[prompt].name)} has no output on this input.")
        return
    turn = st.pagination(len(samples), key=f"sample_{prompt}_{row.id}") if len(samples) > 1 else 1
    draw_output(samples[turn - 1])


def release(output: Output) -> None:
    notices.attempt(
        lambda: visit.services.generation.release(output.id), "Released, as a further sample with this text."
    )


def draw_output(output: Output) -> None:
    facts = [f"Sample {output.sample + 1}", f"{len(output.text.split()):,} words"]
    score = score_of(output)
    facts += [f"score {score:g}"] if score is not None else []
    facts += [labels.plain(output.model)] if output.model else []
    facts += [f"{output.latency_ms / 1000:.1f} s"] if output.latency_ms is not None else []
    fitting = output_text.fitting_mode((output.text, output.text))
    modes = list(output_text.MODES)
    mode = st.segmented_control(
        "Show as",
        modes,
        default=fitting,
        key=f"mode_{output.id}",
        required=True,
        label_visibility="collapsed",
    )
    st.caption(" · ".join(facts))
    if output.error and output.text.strip():
        st.warning(f"Held back from duels: {labels.plain(output.error)}", icon=":material/front_hand:")
        st.button("Release it into duels", key=f"release_{output.id}", on_click=release, args=(output,))
    elif output.error:
        st.error(f"This output failed: {labels.plain(output.error)}", icon=":material/error:")
    if output.text or not output.error:
        with st.container(border=True, key="output_read"):
            output_text.draw(output.text, mode)


def draw_scores() -> None:
    """For studies whose outputs came with a metric: which prompt to spend the next measurement on."""
    numbers = scored(store, study.id)
    if not numbers:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(numbers):,} outputs came with a score.")
        asked = st.button("Which prompt is worth scoring next?", key="next_to_score", type="tertiary")
    if asked and len(prompts) > 1:
        chosen = next_to_score(store, study.id, prompts)
        name = next(prompt.name for prompt in prompts if prompt.id == chosen)
        st.info(
            f"Score another output of '{labels.plain(name)}': by the scores so far it may well be the best, "
            "or too little is known of it (INSTINCT).",
            icon=":material/query_stats:",
        )


def draw_all() -> None:
    draw_summary()
    gaps = st.toggle("Only inputs with something missing", key="gaps", bind="query-params")
    rows = [row for row in in_use if not gaps or any(not counts[p.id, row.id, True] for p in prompts)]
    if not rows:
        st.success("Nothing is missing.", icon=":material/check:")
        return
    pages = -(-len(rows) // PER_PAGE)
    page = st.pagination(pages, key=f"outputs_page_{study.id}_{pages}") if pages > 1 else 1
    rows = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    draw_grid(rows)
    draw_scores()
    draw_reader(rows)


visit, study = access.enter()
frame.style()
notices.draw()
store = visit.services.store
inputs = store.inputs(study.id)
input_names = labels.numbered(inputs, 50)
in_use = [row for row in inputs if row.retired_at is None]
prompts: list[Prompt] = [prompt for prompt in store.prompts(study.id) if prompt.retired_at is None]
index = store.output_index(study.id)
counts = Counter((key.prompt, key.input, key.usable) for key in index)
with_text = {(key.prompt, key.input) for key in index if not key.usable and key.length}

st.header("Outputs", anchor=False)
grid_tab, generate_tab, upload_tab = st.tabs(
    ["Grid", "Generate", "Upload"], on_change="rerun", key="outputs_tab", bind="query-params"
)
with grid_tab:
    if not prompts or not in_use:
        lacking = "prompts" if not prompts else "inputs"
        st.info(f"This study has no {lacking} yet. Upload outputs, or begin with the {lacking}.")
        page_of = {"prompts": "host/prompts.py", "inputs": "host/inputs.py"}
        st.page_link(page_of[lacking], label=lacking.capitalize(), icon=":material/arrow_forward:")
    elif grid_tab.open:
        draw_all()
with generate_tab:
    if generate_tab.open and prompts and in_use:
        generating.draw(visit, study)
    elif generate_tab.open:
        st.info("Generating needs prompts and inputs: write them first.", icon=":material/edit_note:")
with upload_tab:
    if upload_tab.open:
        upload.draw(visit, study, ("outputs-long", "outputs-wide"), "outputs", "Grid")
