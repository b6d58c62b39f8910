"""The line under the answers: what was said last, how many votes, who leads, how sure, how many more."""

from dataclasses import dataclass

import streamlit as st

from optimizer.domain import Study, Vote
from optimizer.standings import Standings
from optimizer.stats.stopping import AdviceKind
from pages.parts import advice, last_vote, seat
from pages.parts.access import Visit

ENOUGH = (AdviceKind.STOP, AdviceKind.PRACTICALLY_EQUAL)
FEWEST = 5  # votes before a leader is named: earlier ones would only tempt


@dataclass(frozen=True, slots=True)
class Progress:
    """What the line tells the person who runs the study; the standings may be one vote behind."""

    votes: int
    standings: Standings | None


def read(visit: Visit, study: Study) -> Progress | None:
    """None in a session: its raters are not told how the prompts stand."""
    if visit.session is not None:
        return None
    counters = visit.services.store.counters(study.id)
    return Progress(counters.votes, visit.services.results.latest(study, counters))


def draw(visit: Visit, known: Progress | None, vote: Vote | None) -> None:
    """The vote just cast, and one sentence for the person who runs the study; another for raters."""
    said = f"Last vote: {last_vote.spoken(vote, last_vote.SHORT)} · " if vote else ""
    if known is None:
        seat.draw_line(visit, said)
        return
    standings = known.standings
    told = said + f"{known.votes:,} {'vote' if known.votes == 1 else 'votes'}"
    if standings is not None and standings.votes >= FEWEST:
        told += f" · {advice.headed(standings)}"
    st.caption(told, text_alignment="center")
    if standings is not None and standings.advice is not None and standings.advice.kind in ENOUGH:
        with st.container(horizontal=True, horizontal_alignment="center", key="what_next"):
            st.page_link("host/report.py", label="Read the report", icon=":material/summarize:")
            st.page_link("host/standings.py", label="Standings", icon=":material/leaderboard:")
