"""The prompts: what competes, where each came from, and what it becomes on an input."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from optimizer.domain import Prompt, PromptId
from optimizer.visible import visible
from pages.parts import access, diff, frame, labels, notices, prompt_editor

TALLEST = 290  # pixels of the table
PROMPT = "prompt"  # widget key and query parameter


def rename(prompt: Prompt) -> None:
    name = st.session_state[f"name_{prompt.id}"] or ""
    notices.attempt(
        lambda: visit.services.prompts.rename(study.id, prompt.id, name), f"Renamed to '{name.strip()}'."
    )


def retire(prompt: Prompt) -> None:
    notices.attempt(
        lambda: visit.services.prompts.retire(study.id, prompt.id),
        f"'{prompt.name}' is retired. Its votes and outputs stay.",
    )


def restore(prompt: Prompt) -> None:
    notices.attempt(
        lambda: visit.services.prompts.restore(study.id, prompt.id), f"'{prompt.name}' competes again."
    )


def pick_row(key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state[PROMPT] = prompts[rows[0]].id


def ancestors(prompt: Prompt) -> list[Prompt]:
    """The prompt's line of parents, the first written one first."""
    line, here = [prompt], prompt
    while here.parent in by_id and len(line) <= len(prompts):
        here = by_id[here.parent]
        line.append(here)
    return line[::-1]


def table(shown: Sequence[Prompt]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Prompt": [labels.one_line(prompt.name, 80) for prompt in shown],
            "State": ["Retired" if prompt.retired_at else "In use" for prompt in shown],
            "Fork of": [by_id[p.parent].name if p.parent in by_id else "" for p in shown],
            "Inputs with outputs": [f"{covered[prompt.id]:,} of {len(in_use):,}" for prompt in shown],
            "Outputs": [outputs[prompt.id] for prompt in shown],
            "Characters": [len(prompt.text) for prompt in shown],
            "Begins": [labels.one_line(prompt.text, 90) for prompt in shown],
        }
    )


def draw_actions(prompt: Prompt) -> None:
    with st.container(horizontal=True):
        st.button(
            "Fork",
            type="primary",
            icon=":material/call_split:",
            key=f"fork_{prompt.id}",
            on_click=prompt_editor.write,
            args=(prompt.id,),
            help="A prompt never changes, so that its votes keep their meaning. A fork is a copy to edit.",
        )
        with st.popover("Rename", icon=":material/edit:"):
            st.text_input("Name", prompt.name, key=f"name_{prompt.id}", max_chars=200)
            st.button("Save", key=f"rename_{prompt.id}", on_click=rename, args=(prompt,))
        if prompt.retired_at is None:
            st.button(
                "Retire",
                key=f"retire_{prompt.id}",
                on_click=retire,
                args=(prompt,),
                icon=":material/do_not_disturb_on:",
            )
        else:
            st.button(
                "Restore",
                key=f"restore_{prompt.id}",
                on_click=restore,
                args=(prompt,),
                icon=":material/undo:",
            )
    st.page_link(
        "host/outputs.py",
        label=f"Read its {labels.counted(outputs[prompt.id], 'output')}"
        if outputs[prompt.id]
        else "It has no outputs yet",
        icon=":material/grid_view:",
        query_params={"output_prompt": prompt.name},
    )


def draw_prompt(prompt: Prompt) -> None:
    badge = " :gray-badge[retired]" if prompt.retired_at else ""
    st.subheader(f"{labels.plain(prompt.name)}{badge}", anchor=False)
    line = ancestors(prompt)
    forks = [child.name for child in prompts if child.parent == prompt.id]
    if len(line) > 1:
        st.caption("Lineage: " + " → ".join(labels.plain(labels.of_prompt(step)) for step in line))
    if forks:
        st.caption(f"Forks: {labels.plain(', '.join(forks))}")
    if prompt.note:
        st.caption(f"Note: {labels.plain(prompt.note)}")
    draw_actions(prompt)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Template**")
        st.code(visible(prompt.text), language=None, wrap_lines=True)
    with right:
        prompt_editor.preview(prompt.text, inputs, f"read_{study.id}")
    if len(line) > 1:
        parent = line[-2]
        with st.expander(
            f"What changed since {labels.plain(parent.name)}", key="diff", icon=":material/difference:"
        ):
            diff.draw(parent.text, prompt.text, parent.name, prompt.name)


visit, study = access.enter()
frame.style()
notices.draw()
store = visit.services.store
prompts, inputs = store.prompts(study.id), store.inputs(study.id)
by_id: dict[PromptId | None, Prompt] = {prompt.id: prompt for prompt in prompts}
in_use = {row.id for row in inputs if row.retired_at is None}
index = store.output_index(study.id)
outputs = Counter(key.prompt for key in index)
covered = Counter(prompt for prompt, row in {(k.prompt, k.input) for k in index if k.usable} if row in in_use)

st.header("Prompts", anchor=False)
writing = st.session_state.get("writing")
if writing == "new" or writing in by_id:
    prompt_editor.draw(visit, study, inputs, by_id.get(PromptId(str(writing))))
    st.stop()
if not prompts:
    st.info(
        "This study has no prompts yet. Write two or more, and they can compete.", icon=":material/edit_note:"
    )
    st.button("Write a prompt", type="primary", on_click=prompt_editor.write, args=("new",), key="write")
    st.stop()

st.button("New prompt", icon=":material/add:", on_click=prompt_editor.write, args=("new",), key="write")
overview = f"prompts_{study.id}"
st.dataframe(
    table(prompts),
    hide_index=True,
    key=overview,
    selection_mode="single-row",
    on_select=lambda: pick_row(overview),
    height=min(35 * (len(prompts) + 1) + 3, TALLEST),
    column_config={"Prompt": st.column_config.TextColumn(width="medium")},
)
if st.session_state.get(PROMPT) not in by_id:
    st.session_state.pop(PROMPT, None)
chosen = st.selectbox(
    "Prompt",
    [prompt.id for prompt in prompts],
    format_func=lambda prompt: by_id[prompt].name,
    key=PROMPT,
    bind="query-params",
)
draw_prompt(by_id[chosen])
