"""How a judge came to its vote: criterion by criterion, by which answers, model and rubric."""

import streamlit as st

from optimizer.domain import Outcome, Vote
from optimizer.judges import JUDGES
from optimizer.judges.base import Mark
from optimizer.judging.rulings import Ruling, ruling_of
from pages.parts import labels

SAID = {
    Outcome.FIRST: "A better",
    Outcome.SECOND: "B better",
    Outcome.BOTH_GOOD: "equal",
    Outcome.BOTH_BAD: "both bad",
    Outcome.SKIP: "not judged",
}
MARKS = {
    Mark.POSITION_DEPENDENT: "The two orders gave different answers: recorded as a tie.",
    Mark.UNDECIDED: "The repeats gave no majority: recorded as a tie.",
}


def draw(vote: Vote) -> None:
    """Under a judge's vote; nothing under a person's."""
    ruling = ruling_of(vote)
    if ruling is None:
        return
    if ruling.mark is not None:
        st.markdown(f":orange-badge[:material/warning: {MARKS[ruling.mark]}]")
    if ruling.criteria:
        lines = [f"- {labels.plain(text)}: **{SAID[better]}**" for text, better in ruling.criteria]
        st.markdown("\n".join(lines))
    st.caption(labels.plain(" · ".join(facts(ruling))))


def facts(ruling: Ruling) -> list[str]:
    """Who judged, how, by which rubric, and how sure it was."""
    mode = JUDGES[ruling.mode].label.lower() if ruling.mode in JUDGES else ruling.mode
    told = [f"{ruling.model} by '{ruling.connection}'", mode, f"rubric version {ruling.rubric}"]
    told.append(f"certainty {ruling.certainty:.0%}")
    if ruling.p_first is not None:
        told.append(f"its own chance for A {ruling.p_first:.0%}")
    return told
