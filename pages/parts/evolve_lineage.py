"""Lineage: the tree, what changed along the winning line, and whether outputs changed with it."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from optimizer.domain import Input, InputId, Output, Prompt, Study
from optimizer.evolution.figures import family_tree
from optimizer.evolution.lineage import Node, Step, change_of
from optimizer.results import VoteFilter
from pages.parts import charts, diff, labels, output_text
from pages.parts.access import Visit

TALL = 320


def draw(visit: Visit, study: Study, chosen: VoteFilter) -> None:
    """Tree, winning line, before and after."""
    nodes = visit.services.evolution.tree(study, chosen)
    if not nodes:
        st.info("This study has no prompts yet.", icon=":material/edit_note:")
        return
    st.plotly_chart(
        family_tree(nodes), key="family_tree", config={**charts.CONFIG, **charts.file_name("lineage")}
    )
    st.caption(
        "Blue is strong, red is weak, dark without votes; a crossed circle is retired, a dotted line leads "
        "to a second parent. On each line stands what changed; hover the diamond to read it in full."
    )
    children = [node for node in nodes if node.depth]
    if not children:
        st.caption("No prompt has a parent yet.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        _line(visit.services.evolution.winning_line(study, chosen), nodes)
    with right:
        _drift(nodes)
    _effect(visit, study, [node.prompt for node in children])


def _line(steps: Sequence[Step], nodes: Sequence[Node]) -> None:
    st.markdown("**What changed along the winning line**")
    if not steps:
        st.caption("The leader is an original: nothing that was proposed has overtaken it.")
        return
    lines = [f"1. Began as **{labels.plain(steps[0].parent.name)}**."]
    for number, step in enumerate(steps, start=2):
        gain = "" if step.gain is None else f" *{step.gain:+.2f} logits against its parent.*"
        change = labels.plain(step.change)
        lines.append(f"{number}. **{labels.plain(step.child.name)}**: {change}{gain}")
    st.markdown("\n".join(lines))
    far = {node.prompt.id: node.drift for node in nodes}[steps[-1].child.id]
    st.caption(f"Its wording is {far:.2f} away from where it began (0: the same words, 1: none in common).")


def _drift(nodes: Sequence[Node]) -> None:
    """How far each prompt went from its root, as a table that can be sorted."""
    st.markdown("**Drift from the root**")
    st.dataframe(
        pd.DataFrame(
            {
                "Prompt": [node.prompt.name for node in nodes if node.depth],
                "Generation": [node.depth for node in nodes if node.depth],
                "Drift": [node.drift for node in nodes if node.depth],
                "Characters": [len(node.prompt.text) for node in nodes if node.depth],
            }
        ),
        hide_index=True,
        height=min(38 + 35 * sum(node.depth > 0 for node in nodes), 220),
        column_config={"Drift": st.column_config.ProgressColumn(min_value=0.0, max_value=1.0, format="%.2f")},
    )


def _effect(visit: Visit, study: Study, children: Sequence[Prompt]) -> None:
    """A child's output beside its parent's on one input: did the outputs change in the intended respect?"""
    st.markdown("**Did the outputs change in the intended respect?**")
    prompts = {prompt.id: prompt for prompt in visit.services.store.prompts(study.id)}
    by_id = {child.id: child for child in reversed(children)}
    one, other = st.columns(2)
    if st.session_state.get("effect_child") not in by_id:
        st.session_state.pop("effect_child", None)
    child = by_id[
        one.selectbox("Child", list(by_id), format_func=lambda key: by_id[key].name, key="effect_child")
    ]
    parent = prompts.get(child.parent) if child.parent else None
    if parent is None:
        return
    pairs = _pairs(visit, study, parent, child)
    st.caption(f"Intended: {labels.plain(change_of(child))}")
    if not pairs:
        st.info("The two have no output on the same input yet.", icon=":material/bolt:")
        return
    names = _numbered(visit.services.store.inputs(study.id), pairs)
    if st.session_state.get("effect_input") not in names:
        st.session_state.pop("effect_input", None)
    row = other.selectbox("Input", list(names), format_func=lambda key: names[key], key="effect_input")
    before, after = pairs[row]
    left, right = st.columns(2, gap="medium")
    mode = output_text.fitting_mode((before.text, after.text))
    for column, label, output in ((left, "Before", before), (right, "After", after)):
        prompt = prompts[output.prompt]
        with column.container(border=True, height=TALL, key=f"effect_{label}"):
            st.badge(label, color="gray")
            st.caption(f"{labels.plain(prompt.name)}: {labels.counted(len(output.text.split()), 'word')}")
            output_text.draw(output.text, mode)
    with st.expander("The two outputs compared", key="effect_diff"):
        diff.draw(before.text, after.text, parent.name, child.name)
    st.caption("What changed is for you to see; whether it is better, only votes say.")


def _pairs(visit: Visit, study: Study, parent: Prompt, child: Prompt) -> dict[InputId, tuple[Output, Output]]:
    """Inputs on which both have an output that may be shown."""
    found = []
    for prompt in (parent, child):
        usable = [one for one in visit.services.store.outputs(study.id, prompt.id) if one.usable]
        found.append({one.input: one for one in reversed(usable)})
    return {row: (found[0][row], found[1][row]) for row in found[0] if row in found[1]}


def _numbered(rows: Sequence[Input], pairs: Mapping[InputId, object]) -> dict[InputId, str]:
    return {row: name for row, name in labels.numbered(rows).items() if row in pairs}
