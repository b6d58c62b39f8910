"""What a study is about and how it is run: the fields, and the service call behind Save."""

from collections import Counter

import streamlit as st

from optimizer.domain import Settings, Study
from optimizer.facts import given
from optimizer.selectors import Offer, offered
from pages.parts import labels, notices
from pages.parts.access import Visit

FIELDS = ("name", "task", "criteria", "about")
TASK_EXAMPLE = "Answer a customer's e-mail for a small shop."
CRITERIA_EXAMPLE = "Answers every question.\nPromises nothing that the shop cannot keep."


def words(prefix: str, study: Study | None = None) -> None:
    """Name, task and criteria; of a new study, or of one that exists."""
    st.text_input("Name", study.name if study else "", key=f"{prefix}_name", max_chars=200)
    st.text_input(
        "Task, in a sentence",
        study.task if study else "",
        key=f"{prefix}_task",
        placeholder=TASK_EXAMPLE,
        help="Raters read it above every duel.",
    )
    st.text_area(
        "What makes an output good? One criterion per line",
        study.criteria if study else "",
        key=f"{prefix}_criteria",
        placeholder=CRITERIA_EXAMPLE,
        height=150,
    )


def create(visit: Visit) -> None:
    """The form for a new study; on success it is the chosen one."""
    with st.container(border=True, key="new_study"):
        words("new")
        st.button("Create", type="primary", key="create_study", on_click=_create, args=(visit,))


def _create(visit: Visit) -> None:
    given = {field: st.session_state.get(f"new_{field}") or "" for field in FIELDS[:3]}

    def act() -> None:
        st.session_state["study"] = visit.services.studies.create(**given).id

    if notices.attempt(act, f"'{given['name'].strip()}' is there. Now write its prompts."):
        st.session_state["panel"] = ""
        for field in FIELDS[:3]:
            st.session_state[f"new_{field}"] = ""


def edit(visit: Visit, study: Study) -> None:
    """The form for a study that exists."""
    prefix = f"edit_{study.id}"
    left, right = st.columns(2, gap="large")
    with left:
        words(prefix, study)
        st.text_area(
            "Note beside every duel",
            study.about,
            key=f"{prefix}_about",
            height=80,
            help="For instance where the outputs come from.",
        )
    with right:
        _choosing(prefix, study.settings)
        _stopping(prefix, study.settings)
        _screen(prefix, study.settings)
    with st.container(horizontal=True):
        st.button("Save", type="primary", key=f"{prefix}_save", on_click=_save, args=(visit, study, prefix))
        st.button("Close", key=f"{prefix}_close", on_click=close)


def close() -> None:
    """No study is being edited any more."""
    st.session_state["editing"] = ""


def _choosing(prefix: str, settings: Settings) -> None:
    st.number_input(
        "Votes planned",
        0,
        1_000_000,
        settings.budget or 0,
        key=f"{prefix}_budget",
        help="0 means open-ended. Some ways to choose pairs need it.",
    )
    planned = bool(st.session_state[f"{prefix}_budget"])
    menu = offered(given(bool(planned)))
    names = {offer.name: offer.label for offer in menu}
    usable = [offer.name for offer in menu if offer.missing is None or offer.name == settings.selector]
    st.selectbox(
        "Which pair next?",
        usable,
        usable.index(settings.selector),
        format_func=lambda name: names[name],
        key=f"{prefix}_selector",
        help=_not_offered(menu),
    )
    left, right = st.columns(2)
    left.number_input(
        "Random audit duels, %",
        0.0,
        100.0,
        100 * settings.audit_share,
        1.0,
        "%g",
        key=f"{prefix}_audit",
        help="Drawn at random whatever the rule above, so that some observed win rates stay unbiased.",
    )
    right.number_input(
        "Swapped replays, %",
        0.0,
        50.0,
        100 * settings.replay_share,
        1.0,
        "%g",
        key=f"{prefix}_replay",
        help="Earlier pairs again with the sides swapped. They test the rater and never count.",
    )


def _stopping(prefix: str, settings: Settings) -> None:
    left, right = st.columns(2)
    left.number_input(
        "Stop when this sure, %",
        50.0,
        99.99,
        100 * settings.confidence,
        1.0,
        "%g",
        key=f"{prefix}_confidence",
        help="How probable it must be that the leading prompt is the best.",
    )
    right.number_input(
        "Practically equal within, %",
        0.0,
        45.0,
        100 * settings.margin,
        1.0,
        "%g",
        key=f"{prefix}_margin",
        help="Two prompts are practically equal when neither wins more often than 50 % and this much.",
    )


def _screen(prefix: str, settings: Settings) -> None:
    st.toggle("Ask how clearly (keys 1 to 5)", settings.graded, key=f"{prefix}_graded")
    st.toggle(
        "Name the prompts after each vote",
        settings.reveal,
        key=f"{prefix}_reveal",
        help="Off: raters stay blind to the end.",
    )


def _not_offered(menu: list[Offer]) -> str:
    lacking = Counter(offer.missing for offer in menu if offer.missing)
    return " ".join(f"{labels.counted(n, 'more rule')}: {reason}" for reason, n in lacking.items())


def _save(visit: Visit, study: Study, prefix: str) -> None:
    def value(field: str) -> object:
        return st.session_state[f"{prefix}_{field}"]

    def act() -> None:
        old = study.settings
        visit.services.studies.edit(
            study.id,
            name=str(value("name") or ""),
            task=str(value("task") or ""),
            criteria=str(value("criteria") or ""),
            about=str(value("about") or ""),
            settings=Settings(
                selector=str(value("selector")),
                confidence=_fraction(value("confidence")),
                margin=_fraction(value("margin")),
                audit_share=_fraction(value("audit")),
                replay_share=_fraction(value("replay")),
                graded=bool(value("graded")),
                reveal=bool(value("reveal")),
                budget=int(str(value("budget") or 0)) or None,
                lease_minutes=old.lease_minutes,
            ),
        )

    if notices.attempt(act, "Saved."):
        close()


def _fraction(percent: object) -> float:
    return round(float(str(percent)) / 100, 6)
