"""The stage of a presentation: the whole window, large type, keys; and which slide is on it."""

from collections.abc import Sequence

import streamlit as st

SLIDE = "slide"  # query parameter: a reload, or a link, shows the same slide

STYLE = """<style>
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"],
[data-testid="stHeader"] { display: none; }
.stMainBlockContainer { max-width: none; padding: 2.2vh 4vw 6.5rem; }
.st-key-slide { min-height: calc(100vh - 9rem); justify-content: center; gap: 1.6vh; }
.st-key-slide :is(p, li, td, th) { font-size: clamp(1.1rem, 1.6vw, 2rem); line-height: 1.45; }
.st-key-slide :is(h1, h2) { padding: 0 0 0.25em; overflow-wrap: anywhere; }
.st-key-slide h1 { font-size: clamp(2.2rem, 4.6vw, 5.4rem); line-height: 1.12; }
.st-key-slide h2 { font-size: clamp(1.5rem, 2.5vw, 3rem); }
.st-key-slide h3 { font-size: clamp(1.2rem, 1.9vw, 2.2rem); padding: 0; }
.st-key-slide [data-testid="stCaptionContainer"] p { font-size: clamp(0.95rem, 1.1vw, 1.3rem); }
.st-key-slide pre, .st-key-slide pre code { font-size: clamp(0.95rem, 1.15vw, 1.5rem); }
.st-key-slide_first, .st-key-slide_second {
  height: calc(100vh - 25rem); min-height: 13rem; overflow: auto; flex: none; }
.st-key-slide_input { max-height: 8.5rem; overflow: auto; flex: none; }
.st-key-slide_prompt { max-height: calc(100vh - 29rem); min-height: 6rem; overflow: auto; }
:is(.st-key-slide_first, .st-key-slide_second, .st-key-slide_input) :is(p, li, code) {
  overflow-wrap: anywhere; unicode-bidi: plaintext; }
.st-key-stage_bar { position: fixed; left: 0; right: 0; bottom: 0; z-index: 100; padding: 0.5rem 4vw 0.7rem;
  background: light-dark(#ffffff, #10191d); border-top: 1px solid light-dark(#dfe5e8, #26353c); }
.st-key-audience_answers button { min-height: 3.2rem; }
.st-key-audience_answers button p { font-size: 1.25rem; }
</style>"""


def current(slides: Sequence[str]) -> str:
    """The slide that is on."""
    name = st.query_params.get(SLIDE, slides[0])
    return name if name in slides else slides[0]


def turn(name: str) -> None:
    """Show another slide. For callbacks."""
    st.query_params[SLIDE] = name


def bar(slides: Sequence[str], now: str) -> bool:
    """Back, next and the way out, on keys; says whether the way out was taken."""
    place = slides.index(now)
    with st.container(key="stage_bar", horizontal=True, vertical_alignment="center"):
        st.button(
            "Back", key="slide_back", shortcut="Left", on_click=turn,
            args=(slides[max(0, place - 1)],), disabled=place == 0,
        )  # fmt: skip
        last = place == len(slides) - 1
        st.button(
            "Next", key="slide_next", shortcut="Right", type="primary", on_click=turn,
            args=(slides[min(len(slides) - 1, place + 1)],), disabled=last,
        )  # fmt: skip
        st.markdown(f"{place + 1} / {len(slides)} · {now}", width="stretch")
        st.caption("F11 fills the screen", width="content")
        return st.button("Leave", key="slide_leave", shortcut="Escape", type="tertiary")
