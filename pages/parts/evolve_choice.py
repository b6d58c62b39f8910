"""Who proposes and with what: the fields that drafting by hand and the automatic run have in common."""

from collections.abc import Mapping, Sequence

import streamlit as st

from optimizer.domain import Connection
from optimizer.proposers import PROPOSERS
from optimizer.proposers.controller import Controller
from optimizer.proposers.dials import DIALS, Dial
from pages.parts import labels


def proposer(prefix: str) -> str:
    """Which way of proposing."""
    name: str = st.selectbox(
        "Proposer",
        list(PROPOSERS),
        format_func=lambda key: PROPOSERS[key].label,
        key=f"{prefix}_proposer",
        persist_state="session",
    )
    st.caption(PROPOSERS[name].about)
    return name


def connection(label: str, prefix: str, known: Mapping[str, Connection], help: str = "") -> str:
    """A connection by name; "" where there is none."""
    if st.session_state.get(prefix) not in {None, *known}:
        st.session_state.pop(prefix)
    return (
        st.selectbox(
            label, list(known), key=prefix, persist_state="session", placeholder="No connection", help=help
        )
        or ""
    )


def dial(prefix: str) -> Dial:
    """What to control, to which set point, how."""
    left, middle, right, last = st.columns(4)
    kind = left.selectbox(
        "Control", list(DIALS), format_func=lambda key: DIALS[key].label, key=f"{prefix}_dial"
    )
    about = DIALS[kind]
    target = middle.number_input(
        f"Set point, {about.unit}",
        float(about.low),
        float(about.high),
        float(about.usual),
        key=f"{prefix}_target_{kind}",
    )
    band = right.number_input(
        "Give or take", 0.0, float(about.high), float(about.band), key=f"{prefix}_band_{kind}"
    )
    how = last.selectbox(
        "Controller",
        [one.value for one in Controller],
        1,
        key=f"{prefix}_controller",
        help="P answers the error that is there, PI also what has added up, PID also how fast it changes.",
    )
    return Dial(kind, float(target), float(band), how)


def no_connection() -> None:
    """What to do first."""
    st.info("To have prompts proposed, connect to a model first.", icon=":material/hub:")
    st.page_link("host/models.py", label="Models", icon=":material/arrow_forward:")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, as they are written."""
    return ", ".join(labels.plain(name) for name in names)
