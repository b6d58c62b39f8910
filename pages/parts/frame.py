"""What stands around every screen: the choice of study, and how errors are shown."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from optimizer.errors import BadFile, PromptDuelError
from pages.parts.access import STUDY, Visit


def sidebar(visit: Visit) -> None:
    """The study that all screens are about; part of the URL, so that a link restores the view."""
    names = {study.id: study.name for study in visit.studies}
    with st.sidebar:
        if names:
            st.selectbox(
                "Study",
                list(names),
                format_func=lambda study: names.get(study, study),
                key=STUDY,
                bind="query-params",
                persist_state="session",
            )


@contextmanager
def errors_shown() -> Iterator[None]:
    """Shows an error of ours as a message; anything else is a bug and stays one."""
    try:
        yield
    except BadFile as error:
        st.error(str(error), icon=":material/error:")
        if len(error.faults) > 5:
            with st.expander(f"All {len(error.faults):,} faults"):
                st.code("\n".join(error.faults[:1000]), language=None)
    except PromptDuelError as error:
        st.error(str(error), icon=":material/error:")


def keep_message(text: str) -> None:
    """Say something after the next run: for callbacks, which cannot draw."""
    st.session_state["message"] = text


def show_message() -> None:
    """Draw what a callback left to say."""
    text = st.session_state.pop("message", None)
    if text:
        st.toast(text)


# Panes of equal height that scroll by themselves; what Streamlit has no parameter for.
STYLE = """<style>
.st-key-pane_first, .st-key-pane_second {
  height: max(16rem, calc(100vh - 31rem)); overflow: auto; unicode-bidi: plaintext; overflow-wrap: anywhere; }
.st-key-input_short { max-height: 9.5rem; overflow: auto; }
.st-key-input_short, .st-key-input_whole { unicode-bidi: plaintext; overflow-wrap: anywhere; }
.st-key-pane_first table, .st-key-pane_second table { display: block; overflow-x: auto; max-width: 100%; }
.st-key-pane_first :is(p, li), .st-key-pane_second :is(p, li) { unicode-bidi: plaintext; }
@media (max-width: 700px) {
  .st-key-pane_first, .st-key-pane_second { height: auto; max-height: 60vh; }
  .st-key-answers button { min-height: 3rem; }
  .st-key-duel_tools { display: none; }
}
</style>"""


def style() -> None:
    """Apply the few rules above to this screen."""
    st.html(STYLE)
