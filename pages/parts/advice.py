"""Whether to stop, in one sentence, and the winners by other definitions."""

import numpy as np
import streamlit as st

from optimizer.standings import Standings
from optimizer.stats.stopping import AdviceKind
from optimizer.stats.winners import borda, condorcet, copeland, shares, von_neumann
from pages.parts.labels import plain

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
    told = standings.advice.sentence([f"“{plain(prompt.name)}”" for prompt in standings.active])
    around = " beats ".join(f"“{plain(name)}”" for name in standings.around)
    return f"{told} The circle: {around}." if around else told


def headed(standings: Standings) -> str:
    """The same, with what to do in front."""
    head = HEADS[standings.advice.kind] if standings.advice else ""
    return f"{head} {sentence(standings)}".strip()


def banner(standings: Standings) -> None:
    """The advice, in the colour of what it asks for."""
    advice = standings.advice
    if advice is None:
        st.info(sentence(standings), icon=":material/info:")
        return
    draw = {AdviceKind.KEEP_GOING: st.info, AdviceKind.CYCLE: st.warning}.get(advice.kind, st.success)
    draw(f"**{HEADS[advice.kind]}** {sentence(standings)}", icon=ICONS[advice.kind])


def winners(standings: Standings) -> None:
    """The winner by each definition among the prompts that still compete and met another one of them."""
    active = [arm for arm, prompt in enumerate(standings.arms) if prompt.retired_at is None]
    if not active:
        st.info("Every prompt is retired.")
        return
    met = [arm for arm in active if standings.played[arm, active].any()]
    if not met:
        st.info("No two of the prompts that compete have met yet.", icon=":material/hourglass_empty:")
        return
    share = shares(standings.wins[np.ix_(met, met)])
    names = [plain(standings.arms[arm].name) for arm in met]
    known = {standings.arms[arm].id for arm in met}
    strongest = standings.strongest.prompt
    leader = plain(strongest.name) + ("" if strongest.id in known else ", which has met no other yet")
    beats_all = condorcet(share)
    mixture = von_neumann(share)
    advised = "" if standings.cyclic else "; this is what the standings recommend"
    said = {
        f"**Bradley-Terry** (highest strength{advised})": leader,
        "**Condorcet** (beats every other prompt)": "none" if beats_all is None else names[beats_all],
        "**Copeland** (beats the most prompts)": ", ".join(names[arm] for arm in copeland(share).winners),
        "**Borda** (highest average win rate)": ", ".join(names[arm] for arm in borda(share).winners),
        "**von Neumann** (mixture that no prompt beats)": ", ".join(
            f"{names[arm]} {weight:.0%}" for arm, weight in enumerate(mixture) if weight >= 0.01
        ),
    }
    st.markdown("\n".join(f"- {label}: {winner}" for label, winner in said.items()))
    left_out = ", ".join(f"“{plain(standings.arms[arm].name)}”" for arm in active if arm not in met)
    st.caption(
        "The last four use observed win rates; a pair that never met counts as even."
        + (f" Left out, without a duel against another that competes: {left_out}." if left_out else "")
    )
