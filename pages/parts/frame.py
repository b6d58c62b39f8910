"""What stands around every screen: the choice of study, the list of screens, and how errors are shown."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from optimizer.errors import BadFile, PromptDuelError
from pages.parts.access import STUDY, Visit
from pages.parts.labels import plain

IN_URL = "study_in_url"  # what this session wrote there last


def for_host(visit: Visit, screens: Mapping[str, Sequence[StreamlitPage]]) -> None:
    """The sidebar: which study, the way to every screen about it by section, and what is running."""
    _choose_study(visit)
    with st.sidebar, st.container(key="screens", gap=None):
        # Streamlit's own list draws all its links again at each batch of messages, so at each vote.
        for section, pages in screens.items():
            st.caption(section)
            for page in pages:
                if page.visibility != "hidden":
                    st.page_link(page, help=page.help, width="stretch")
    _say_what_runs(visit)


def for_rater(visit: Visit) -> None:
    """Of somebody who joined a session: which, and as whom."""
    if visit.session is not None and visit.seat is not None:
        group = f" ({plain(visit.seat.group)})" if visit.seat.group else ""
        st.sidebar.markdown(f"**{plain(visit.session.name)}**")
        st.sidebar.caption(f"You are {plain(visit.seat.name)}{group}.")


def _choose_study(visit: Visit) -> None:
    """The study that all screens are about; part of the URL, so that a link restores the view."""
    names = {study.id: study.name for study in visit.studies}
    if not names:
        return
    linked = st.query_params.get(STUDY)
    if linked in names and linked != st.session_state.get(IN_URL):
        st.session_state[STUDY] = linked  # a link was followed, or the browser went back
    chosen = st.sidebar.selectbox(
        "Study",
        list(names),
        format_func=lambda study: names.get(study, study),
        key=STUDY,
        persist_state="session",
    )
    place = st.empty()  # kept when there is nothing to say, so that no field below gets another place
    if linked is not None and linked not in names:
        place.warning(
            f"The study that was asked for is archived or not here. This is '{plain(names[chosen])}'.",
            icon=":material/link_off:",
        )
    st.session_state[IN_URL] = chosen
    if linked != chosen:
        st.query_params[STUDY] = chosen


def _say_what_runs(visit: Visit) -> None:
    """A link to the one place where progress shows, while outputs are being generated on request."""
    for job in visit.services.generation.jobs():
        if job.order.cells is None and job.progress().in_flight:
            st.sidebar.page_link(
                "host/outputs.py",
                label="Outputs are being generated",
                icon=":material/bolt:",
                query_params={STUDY: job.order.study, "outputs_tab": "Generate"},
            )
            return


@contextmanager
def errors_shown() -> Iterator[None]:
    """Shows an error of ours as a message; anything else is a bug and stays one."""
    try:
        yield
    except BadFile as error:
        st.error(plain(str(error)), icon=":material/error:")
        if len(error.faults) > 5:
            with st.expander(f"All {len(error.faults):,} faults"):
                st.code("\n".join(error.faults[:1000]), language=None)
    except PromptDuelError as error:
        st.error(plain(str(error)), icon=":material/error:")


def keep_message(text: str) -> None:
    """Say something after the next run: for callbacks, which cannot draw."""
    st.session_state["message"] = text


def show_message() -> None:
    """Draw what a callback left to say."""
    text = st.session_state.pop("message", None)
    if text:
        st.toast(text)


# What Streamlit has no parameter for: panes of equal height that scroll by themselves and fill what
# the input and the answers leave of the window, and rows of buttons that stay low.
STYLE = """<style>
[data-testid="stSidebarHeader"] { height: 1.6rem; margin-bottom: 0.4rem; }
[data-testid="stSidebarUserContent"] { padding-top: 0; }
[data-testid="stSidebar"] .st-key-screens [data-testid="stElementContainer"]:has(a) { margin: -0.125rem 0; }
.st-key-screens [data-testid="stElementContainer"]:has([data-testid="stCaptionContainer"]) {
  margin: 0.45rem 0 0.15rem; }
.st-key-screens a { height: 1.5rem; }
:is([data-testid="stPageLink"], [data-testid="stSidebarNav"]) a:focus-visible {
  outline: 2px solid light-dark(#0b6e69, #1b8578); outline-offset: -2px; }
.stMainBlockContainer { padding-top: 1.2rem; padding-bottom: 1rem; max-width: 112rem; }
[data-testid="stHeader"] { background: transparent; height: 2.6rem; min-height: 2.6rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-bar) {
  position: sticky; bottom: 0; z-index: 90; background: light-dark(#ffffff, #10191d); padding: 0.4rem 0; }
.st-key-bar { gap: 0.15rem; }
.st-key-pair_on_screen { display: none; }
body:not([data-answered]) [data-testid="stLayoutWrapper"]:has(> .st-key-announced),
body[data-answered] [data-testid="stLayoutWrapper"]:has(> .st-key-asked) { display: none; }
[class*="st-key-pane_"] {
  flex: none; height: max(15rem, calc(100vh - 26.8rem)); overflow: auto; overflow-wrap: anywhere; }
[data-testid="stLayoutWrapper"]:has(> .st-key-notices) {
  position: fixed; top: 0.6rem; z-index: 95; width: min(46rem, 100vw - 24rem); }
.st-key-notices { background: light-dark(#ffffff, #10191d); border-radius: 0.5rem; flex: none;
  max-height: 60vh; overflow: auto; box-shadow: 0 0.2rem 1rem rgba(0, 0, 0, 0.25); }
.st-key-asides { max-height: 40vh; overflow: auto; flex: none; }
.st-key-asides > * { flex: none; }
.st-key-pair, .st-key-pair_next { flex-wrap: nowrap; }
:is(.st-key-pair, .st-key-pair_next) > * { flex: 1 1 0; min-width: 0; }
[class*="st-key-pane_"]::before {
  content: "A"; align-self: flex-start; padding: 0 0.45rem; border-radius: 0.3rem; font-size: 0.875rem;
  background: light-dark(#eef1f1, #26353c); color: light-dark(#55646a, #b8c4ca); }
[class*="st-key-pane_second"]::before { content: "B"; }
[class*="st-key-input_short"] { max-height: 7.6rem; overflow: auto; }
[class*="st-key-input_short"] pre { padding: 0; background: none; }
:is([class*="st-key-input_short"], [class*="st-key-input_whole"]) {
  overflow-wrap: anywhere; padding: 0.6rem 1rem; gap: 0.3rem; }
:is([class*="st-key-pane_"], [class*="st-key-input_"]) :is(p, li, code, td) {
  unicode-bidi: plaintext; }
[class*="st-key-pane_"] table { display: block; overflow-x: auto; max-width: 100%; }
.st-key-about p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.st-key-grades button, .st-key-duel_tools button { min-height: 1.7rem; padding-top: 0; padding-bottom: 0; }
.st-key-answers kbd { opacity: 1; }
[data-testid="stLayoutWrapper"]:has(> .st-key-export_file) { position: sticky; top: 2.6rem; }
.st-key-wall_code h1 { font-size: clamp(3rem, 6vw, 7rem); white-space: nowrap; }
/* What Streamlit says to developers when the server is away, in words for everybody. */
[data-testid="stDialog"]:has(.stErrorCodeBlock) :is(section, [role="dialog"]) > div > * { display: none; }
[data-testid="stDialog"]:has(.stErrorCodeBlock) :is(section, [role="dialog"]) > div::before {
  content: "The server does not answer. This page connects again by itself. Votes that were taken are safe.";
}
/* Over the title, not over the duel's tools, and in one line where it can. */
@media (min-width: 701px) {
  [data-testid="stToastContainer"] { top: 0; right: 3.4rem; width: min(34rem, 50vw); }
  [data-testid="stToast"] { width: auto; margin-left: auto; }
}
@media (max-width: 700px) {
  .stMainBlockContainer { padding: 2.4rem 0.8rem 1rem; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-notices) { top: 2.8rem; width: calc(100vw - 1.6rem); }
  [data-testid="stLayoutWrapper"]:has(> .st-key-export_file) { position: static; }
  .st-key-pair, .st-key-pair_next { flex-wrap: wrap; }
  :is(.st-key-pair, .st-key-pair_next) > * { flex-basis: 100%; }
  [class*="st-key-pane_"] { height: auto; max-height: 60vh; }
  .st-key-grades, .st-key-duel_tools > :not(.st-key-tool_I, .st-key-tool_L) { display: none; }
  .st-key-duel_tools button { min-height: 2.75rem; padding-inline: 0.4rem; }
  .st-key-duel_tools kbd { display: none; }
  .st-key-answers { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0.4rem; }
  .st-key-answers > * { grid-column: span 2; }
  .st-key-answers > :nth-child(4) { grid-area: 1 / 3 / auto / span 2; }
  .st-key-answers:has(> :nth-child(5)) > :not(:nth-child(1), :nth-child(4)) { grid-column: span 1; }
  .st-key-answers :is(div, button) { width: 100%; }
  .st-key-answers button { min-height: 2.9rem; padding-inline: 0.2rem; }
  .st-key-answers kbd { display: none; }
}
</style>"""


def style() -> None:
    """Apply the few rules above to this screen."""
    st.html(STYLE)
