"""What a callback did, or why it could not: callbacks cannot draw, so it is said in the run that follows."""

from collections.abc import Callable

import streamlit as st

from optimizer.errors import BadFile, PromptDuelError
from pages.parts import access, frame
from pages.parts.labels import plain

LISTED = 1000


def attempt(act: Callable[[], object], done: str = "") -> bool:
    """Do it and keep the word that it is done, or its own if any, or the reason why not. For callbacks."""
    if not access.is_as_drawn():
        st.session_state["fault"] = "Nothing was done: you are somebody else since this page was opened."
        return False
    try:
        said = act()
    except BadFile as error:
        st.session_state["fault"] = str(error)
        st.session_state["faults"] = "\n".join(error.faults[:LISTED])
        return False
    except PromptDuelError as error:
        st.session_state["fault"] = str(error)
        return False
    if told := done or said:
        frame.keep_message(plain(str(told)))
    return True


def do(act: Callable[[], object], done: str = "") -> None:
    """``attempt`` for a button, which asks nothing back."""
    attempt(act, done)


def draw() -> None:
    """What the last callback left to say; a reason why not stays until the next action.

    It has one place in the page, taken or not, and lies over it: were everything below moved by it, the
    browser would make new fields of those that are being typed in, and buttons would slip from under a press.
    """
    frame.show_message()
    fault = st.session_state.pop("fault", None)
    faults = st.session_state.pop("faults", None)
    place = st.empty()
    if not fault:
        return
    with place.container(key="notices"):
        st.error(plain(fault), icon=":material/error:")
        if faults and faults.count("\n") >= 5:
            with st.expander("All faults"):
                st.code(faults, language=None)
