"""The row above the pair, a key for each of its buttons, and what they open."""

import streamlit as st

from optimizer.domain import Rater, Study, Vote
from optimizer.workshop import ShownDuel
from pages.parts import cards, diff, last_vote
from pages.parts.access import Visit

HELP = """
| Key | | Key | |
|---|---|---|---|
| **A** | left is better | **1** | left is clearly better |
| **B** | right is better | **2** | left is slightly better |
| **T** | both are good | **3** | about equal (both good) |
| **N** | both are bad | **4** | right is slightly better |
| **S** | skip this pair | **5** | right is clearly better |
| **U** | undo the last vote | **D** | what differs between the outputs |
| **E** | why this pair? | **M** | Markdown or raw text |
| **I** | the whole input | **P** | stop after each vote to say why |
| **L** | your last vote: reasons, prompts | **Y** | copy the outputs |
| **H** | this help | | |

The sides are drawn at random for each pair. Plain keys are ignored while you type in a field.
"""
TOOLS = (  # label, key, and what it switches in the session
    ("Whole input", "I", "whole_input"),
    ("Why this pair?", "E", "show_why"),
    ("Differences", "D", "show_diff"),
    ("Raw text", "M", "show_raw"),
    ("Copy", "Y", "show_copy"),
    ("Last vote", "L", "show_last"),
    ("Always say why", "P", "pause"),
    ("Keys", "H", "show_help"),
)
OPEN_SOMETHING = {"show_help", "show_last", "show_why", "show_diff", "show_copy"}
NEED_OUTPUTS = {"show_why", "show_diff", "show_raw", "show_copy"}


def draw_row(visit: Visit, study: Study, written: bool = True) -> None:
    """``written``: are both outputs there?"""
    names = _offered(visit, study, written)
    with st.container(horizontal=True, key="duel_tools", vertical_alignment="center"):
        for label, key, name in TOOLS:
            if name in names:
                st.button(
                    label,
                    key=f"tool_{key}",
                    on_click=_flip,
                    args=(name,),
                    shortcut=key,
                    type="secondary" if st.session_state.get(name) else "tertiary",
                )


def draw_opened(visit: Visit, study: Study, rater: Rater, shown: ShownDuel | None, vote: Vote | None) -> None:
    """What the tools open, above the pair: below it, nobody would see that something has opened.

    ``shown`` is None while the outputs are being written; ``vote`` is the one cast last.
    """
    names = opened(visit, study, written=shown is not None)
    if not names:
        return
    with st.container(key="asides"):
        if "show_help" in names:
            st.markdown(HELP)
        if "show_last" in names:
            last_vote.draw(visit, study, rater, vote)
        if shown is None:
            return
        if "show_why" in names:
            st.info(cards.why(shown.duel), icon=":material/psychology_alt:")
        if "show_diff" in names:
            diff.draw(shown.first.text, shown.second.text, "A", "B")
        if "show_copy" in names:
            cards.copies(shown.first.text, shown.second.text)


def opened(visit: Visit, study: Study, written: bool = True) -> set[str]:
    """Which of the tools stand open above the pair."""
    names = OPEN_SOMETHING.intersection(_offered(visit, study, written))
    return {name for name in names if st.session_state.get(name)}


def _offered(visit: Visit, study: Study, written: bool) -> set[str]:
    names = {name for _, _, name in TOOLS}
    if visit.session is not None:
        names.discard("show_why")  # it tells a little of the standings
    if not last_vote.tells(visit, study):
        names.discard("show_last")
    return names if written else names - NEED_OUTPUTS


def _flip(name: str) -> None:
    st.session_state[name] = not st.session_state.get(name, False)
