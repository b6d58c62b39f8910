"""A challenge as in self-supervised prompt optimisation: three inputs, both orders, a clear win or none."""

from collections.abc import Mapping

import streamlit as st

from optimizer.domain import Connection, Prompt, PromptId, Study
from optimizer.errors import PromptDuelError
from optimizer.judging.spo import CLEAR, Contest, challenge, outcome_of, sampled_inputs
from pages.parts import judge_plan, labels, tasks
from pages.parts.access import Visit


def draw(visit: Visit, study: Study, known: Mapping[str, Connection]) -> None:
    """Champion, challenger and judge; what came of it."""
    store = visit.services.store
    prompts = {prompt.id: prompt for prompt in store.prompts(study.id) if prompt.retired_at is None}
    if not known:
        judge_plan.no_connection()
        return
    if len(prompts) < 2:
        st.info("A challenge needs two prompts.")
        return
    st.caption(
        "A challenger meets the champion on three inputs, judged in both orders, and is accepted only when "
        f"it wins clearly: by at least {CLEAR} more wins than losses, a duel that goes with the position "
        "being a tie."
    )
    try:
        inputs = sampled_inputs(store, study)
    except PromptDuelError as error:
        st.info(labels.plain(str(error)))
        return
    leader = next(
        row.prompt.id for row in visit.services.results.standings(study).rows if row.prompt.id in prompts
    )
    left, middle, right = st.columns(3)
    with left:
        champion = _pick("Champion", prompts, leader)
    with middle:
        others = {key: prompt for key, prompt in prompts.items() if key != champion}
        challenger = _pick("Challenger", others, list(others)[-1])
    name = right.selectbox("Judge", list(known), key="contest_with")
    names = labels.numbered(store.inputs(study.id))
    st.caption(labels.plain(f"On: {' · '.join(names[row] for row in inputs)}"))
    st.button(
        f"Judge {labels.counted(len(inputs), 'duel')}: {labels.counted(2 * len(inputs), 'call')}",
        type="primary",
        key="contest_start",
        icon=":material/swords:",
        on_click=tasks.start,
        args=(visit, challenge(study, name, champion, challenger, inputs)),
    )
    contest = outcome_of(store, study, champion, challenger, inputs)
    if contest.wins + contest.losses + contest.ties:
        _draw_outcome(contest, prompts[champion], prompts[challenger])


def _pick(label: str, prompts: Mapping[PromptId, Prompt], default: PromptId) -> PromptId:
    options = list(prompts)
    if st.session_state.get(f"contest_{label}") not in options:
        st.session_state.pop(f"contest_{label}", None)
    return st.selectbox(
        label,
        options,
        options.index(default),
        format_func=lambda key: prompts[key].name,
        key=f"contest_{label}",
    )


def _draw_outcome(contest: Contest, champion: Prompt, challenger: Prompt) -> None:
    told = (
        f"{labels.plain(challenger.name)} against {labels.plain(champion.name)}: "
        f"{labels.counted(contest.wins, 'win')}, {contest.losses:,} lost, {contest.ties:,} tied"
    )
    if not contest.complete:
        st.info(f"{told}; {contest.wanted:,} duels are wanted.", icon=":material/hourglass_empty:")
    elif contest.accepted:
        st.success(f"**Accepted.** {told}.", icon=":material/check_circle:")
    else:
        st.warning(f"**Not accepted.** {told}. The champion stays.", icon=":material/shield:")
