"""The review queue: judges' verdicts for a person to confirm; they stay hidden until the person has voted."""

import streamlit as st

from optimizer.domain import Duel, Study
from optimizer.errors import PromptDuelError
from optimizer.judging.review import ToReview
from pages.parts import frame, labels
from pages.parts.access import STUDY, Visit

SHOWN = 10
REVIEWING = "reviewing_judges"  # the study whose queue this session works through


def draw(visit: Visit, study: Study) -> None:
    """The most pressing verdicts first."""
    queue = visit.services.judging.review.queue(study, SHOWN)
    st.caption(
        "Duels that only judges have answered, those first that matter most to the ranking and were least "
        "certain. What the judge said is not shown, so that it does not sway you."
    )
    if not queue:
        st.info("Nothing waits for a review.", icon=":material/task_alt:")
        return
    names = labels.numbered(visit.services.store.inputs(study.id), 70)
    for item in queue:
        with st.container(border=True, key=f"review_{item.ballot.duel.id}"):
            told, button = st.columns([4, 1], vertical_alignment="center")
            told = told.container(gap="xxsmall")
            told.markdown(f"Input {labels.plain(names[item.ballot.duel.input])}")
            told.caption(f"Matters {item.stake:.0%} · doubt {item.doubt:.0%}")
            if button.button("Vote on it", key=f"review_button_{item.ballot.duel.id}", width="stretch"):
                _ask(visit, study, item)


def draw_next(visit: Visit, study: Study, duel: Duel) -> None:
    """On the voting screen, for whoever came from the queue: the next verdict to confirm."""
    if st.session_state.get(REVIEWING) != study.id or duel.selector == "review" or visit.session is not None:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button(
            "Next to review", key="review_next", icon=":material/fact_check:", on_click=_next,
            args=(visit, study), shortcut="V",
        )  # fmt: skip
        st.page_link(
            "host/judge.py",
            label="The queue",
            icon=":material/list:",
            query_params={STUDY: study.id, "judge_tab": "Review"},
        )


def _next(visit: Visit, study: Study) -> None:
    queue = visit.services.judging.review.queue(study, 1)
    if not queue:
        st.session_state.pop(REVIEWING)
        frame.keep_message("Nothing waits for a review any more.")
        return
    try:
        _put(visit, study, queue[0])
    except PromptDuelError as error:
        frame.keep_message(labels.plain(str(error)))


def _ask(visit: Visit, study: Study, item: ToReview) -> None:
    try:
        _put(visit, study, item)
    except PromptDuelError as error:
        st.error(labels.plain(str(error)), icon=":material/error:")
        return
    st.session_state[REVIEWING] = study.id
    st.switch_page("rater/duel.py", query_params={})  # without: the tab in the URL refuses


def _put(visit: Visit, study: Study, item: ToReview) -> None:
    """Make it the duel that lies open before this person."""
    visit.services.judging.review.ask(study, visit.rater(study.id).id, item.ballot.duel)
