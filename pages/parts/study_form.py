"""What a study is about and how it is run: the fields, and the service call behind Save."""

from dataclasses import replace

import streamlit as st

from optimizer.domain import JudgeVotes, Settings, Study
from optimizer.facts import given, scored
from optimizer.generation.ahead import study_budget
from optimizer.selectors import Group, Offer, offered
from pages.parts import labels, limits, notices
from pages.parts.access import STUDY, Visit

MORE = "more"  # stands for the rules of the second list
FIELDS = ("name", "task", "criteria", "about")
TASK_EXAMPLE = "Answer a customer's e-mail for a small shop."
JUDGE_VOTES = {
    JudgeVotes.BESIDE.value: "Beside the people's",
    JudgeVotes.DISCOUNTED.value: "Discounted",
    JudgeVotes.FULL.value: "In full",
}
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
    name, task, criteria = (str(st.session_state.get(f"new_{field}") or "") for field in FIELDS[:3])

    def act() -> None:
        st.session_state["study"] = visit.services.studies.create(name, task, criteria).id

    if notices.attempt(act, f"'{name.strip()}' is there. Now write its prompts."):
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
        _outputs(study)
    with right:
        _choosing(prefix, study.settings, bool(scored(visit.services.store, study.id)))
        _stopping(prefix, study.settings)
        _counting(prefix, study.settings)
        _screen(prefix, study.settings)
    with st.container(horizontal=True):
        st.button("Save", type="primary", key=f"{prefix}_save", on_click=_save, args=(visit, study, prefix))
        st.button("Close", key=f"{prefix}_close", on_click=close)


def close() -> None:
    """No study is being edited any more."""
    st.session_state["editing"] = ""


def _choosing(prefix: str, settings: Settings, has_scores: bool) -> None:
    st.number_input(
        "Votes planned",
        0,
        1_000_000,
        settings.budget or 0,
        key=f"{prefix}_budget",
        help="0 means open-ended. Some ways to choose pairs need it.",
    )
    planned = bool(st.session_state[f"{prefix}_budget"])
    _which_pair(prefix, settings.selector, offered(given(planned, has_scores)))
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


def _counting(prefix: str, settings: Settings) -> None:
    left, right = st.columns(2)
    left.selectbox(
        "How judges' votes count",
        list(JUDGE_VOTES),
        list(JUDGE_VOTES).index(settings.judge_votes),
        format_func=lambda value: JUDGE_VOTES[value],
        key=f"{prefix}_judge_votes",
        help="Beside: not in the standings once a person has voted. Discounted: as far as a judge is found "
        "to follow the people. In full: like a person's.",
    )
    right.number_input(
        "Set a judge aside below, %",
        0.0,
        100.0,
        100 * settings.judge_bar,
        1.0,
        "%g",
        key=f"{prefix}_judge_bar",
        help="When a judge surely agrees with people on fewer duels than this, its votes stop counting.",
    )
    st.toggle(
        "Careless raters count less",
        settings.weigh_raters,
        key=f"{prefix}_weigh_raters",
        help="How careful a rater is follows from all votes. It needs several raters.",
    )


def _screen(prefix: str, settings: Settings) -> None:
    st.toggle("Ask how clearly (keys 1 to 5)", settings.graded, key=f"{prefix}_graded")
    st.toggle(
        "Name the prompts after each vote",
        settings.reveal,
        key=f"{prefix}_reveal",
        help="Off: raters stay blind to the end.",
    )
    st.toggle(
        "A critic may be asked before the vote",
        settings.critic_first,
        key=f"{prefix}_critic_first",
        help="It lists faults beside the open pair for whoever asks it, which may sway the vote. Off: it "
        "speaks after the vote.",
    )


def _which_pair(prefix: str, current: str, menu: list[Offer]) -> None:
    """The default and the rules for a situation; the rest behind the last line of that list."""
    usable = [offer for offer in menu if offer.missing is None or offer.name == current]
    labelled = {offer.name: offer.label for offer in usable} | {MORE: "More, from published work"}
    more = [offer.name for offer in usable if offer.group is Group.MORE]
    first = [*(offer.name for offer in usable if offer.name not in more), MORE]
    chosen = st.selectbox(
        "Which pair next?",
        first,
        first.index(MORE if current in more else current),
        format_func=labelled.__getitem__,
        key=f"{prefix}_selector",
        help=_not_offered(menu),
    )
    if chosen == MORE:
        st.selectbox(
            "Which of the others?",
            more,
            more.index(current) if current in more else 0,
            format_func=labelled.__getitem__,
            key=f"{prefix}_other_selector",
            help="docs/algorithms.md says what each is good for, and when not.",
        )


def _selector(prefix: str, current: str) -> str:
    """The rule that is chosen; the current one if the second list was asked for and not drawn yet."""
    chosen = str(st.session_state[f"{prefix}_selector"])
    return chosen if chosen != MORE else str(st.session_state.get(f"{prefix}_other_selector", current))


def _outputs(study: Study) -> None:
    """What makes outputs while people vote, and where that is set."""
    settings = study.settings
    told = "Outputs are not generated while people vote."
    if settings.connection:
        most = limits.told(study_budget(settings))
        told = f"Outputs are generated by '{settings.connection}' while people vote, {most}."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(labels.plain(told), width="stretch")
        query = {STUDY: study.id, "outputs_tab": "Generate"}
        st.page_link("host/outputs.py", label="Change", icon=":material/bolt:", query_params=query)


def _not_offered(menu: list[Offer]) -> str | None:
    """What each rule lacks that cannot be chosen, as Markdown; None where all can be."""
    lines = [f"- {offer.label}. {offer.missing}" for offer in menu if offer.missing]
    return "\n".join(["Not offered:", "", *lines]) if lines else None


def _save(visit: Visit, study: Study, prefix: str) -> None:
    def value(field: str) -> object:
        return st.session_state[f"{prefix}_{field}"]

    def act() -> None:
        visit.services.studies.edit(
            study.id,
            name=str(value("name") or ""),
            task=str(value("task") or ""),
            criteria=str(value("criteria") or ""),
            about=str(value("about") or ""),
            settings=replace(
                study.settings,
                selector=_selector(prefix, study.settings.selector),
                confidence=_fraction(value("confidence")),
                margin=_fraction(value("margin")),
                audit_share=_fraction(value("audit")),
                replay_share=_fraction(value("replay")),
                graded=bool(value("graded")),
                reveal=bool(value("reveal")),
                critic_first=bool(value("critic_first")),
                budget=int(str(value("budget") or 0)) or None,
                judge_votes=str(value("judge_votes")),
                judge_bar=_fraction(value("judge_bar")),
                weigh_raters=bool(value("weigh_raters")),
            ),
        )

    if notices.attempt(act, "Saved."):
        close()


def _fraction(percent: object) -> float:
    return round(float(str(percent)) / 100, 6)
