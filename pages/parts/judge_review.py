"""The review queue: judges' verdicts for a person to confirm; they stay hidden until the person has voted."""

import streamlit as st

from optimizer.domain import Study
from optimizer.errors import PromptDuelError
from optimizer.judging.review import ToReview
from pages.parts import labels
from pages.parts.access import Visit

SHOWN = 10


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


def _ask(visit: Visit, study: Study, item: ToReview) -> None:
    try:
        visit.services.judging.review.ask(study, visit.rater(study.id).id, item.ballot.duel)
    except PromptDuelError as error:
        st.error(labels.plain(str(error)), icon=":material/error:")
        return
    st.switch_page("rater/duel.py", query_params={})  # without: the tab in the URL refuses
