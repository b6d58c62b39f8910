"""Whether to stop, in one sentence, and the winners by other definitions."""

import streamlit as st

from optimizer.domain import Study
from optimizer.standings import Standings
from optimizer.stats.stopping import AdviceKind
from optimizer.stats.winners import borda, condorcet, copeland, shares, von_neumann
from pages.parts.output_text import safe_markdown

ICONS = {
    AdviceKind.KEEP_GOING: ":material/more_horiz:",
    AdviceKind.STOP: ":material/flag:",
    AdviceKind.PRACTICALLY_EQUAL: ":material/drag_handle:",
    AdviceKind.CYCLE: ":material/sync:",
}
HEADS = {
    AdviceKind.KEEP_GOING: "Keep going.",
    AdviceKind.STOP: "Stop.",
    AdviceKind.PRACTICALLY_EQUAL: "Stop.",
    AdviceKind.CYCLE: "No single winner.",
}


def sentence(standings: Standings) -> str:
    """The advice with the prompts' names, as Markdown."""
    if standings.advice is None:
        return "A second active prompt is needed before there is anything to decide."
    return standings.advice.sentence([f"“{safe_markdown(prompt.name)}”" for prompt in standings.active])


def banner(standings: Standings, study: Study) -> None:
    """The advice, in the colour of what it asks for."""
    advice = standings.advice
    if advice is None:
        st.info(sentence(standings), icon=":material/info:")
        return
    draw = {AdviceKind.KEEP_GOING: st.info, AdviceKind.CYCLE: st.warning}.get(advice.kind, st.success)
    draw(f"**{HEADS[advice.kind]}** {sentence(standings)}", icon=ICONS[advice.kind])


def winners(standings: Standings) -> None:
    """The winner by each definition, among the pairs that met."""
    share = shares(standings.wins)
    names = [safe_markdown(prompt.name) for prompt in standings.arms]
    beats_all = condorcet(share)
    mixture = von_neumann(share)
    said = {
        "**Bradley-Terry** (highest strength; this is what the standings recommend)": safe_markdown(
            standings.rows[0].prompt.name
        ),
        "**Condorcet** (beats every other prompt)": "none" if beats_all is None else names[beats_all],
        "**Copeland** (beats the most prompts)": ", ".join(names[arm] for arm in copeland(share).winners),
        "**Borda** (highest average win rate)": ", ".join(names[arm] for arm in borda(share).winners),
        "**von Neumann** (mixture that no prompt beats)": ", ".join(
            f"{names[arm]} {weight:.0%}" for arm, weight in enumerate(mixture) if weight >= 0.01
        ),
    }
    st.markdown("\n".join(f"- {label}: {winner}" for label, winner in said.items()))
    st.caption("These use observed win rates; a pair that never met counts as even.")
