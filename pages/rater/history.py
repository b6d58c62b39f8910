"""History: every vote, newest first; read one again, withdraw it, or bring it back."""

import hashlib

import pandas as pd
import streamlit as st

from optimizer.domain import Ballot, DuelId, Outcome, PromptId, RaterId
from optimizer.errors import NotAllowed
from optimizer.history import FURTHEST, HistoryFilter, page
from pages.parts import access, duel_reading, frame, labels, notices

PER_PAGE = 50
MINE, EVERYONE = "mine", "everyone"
STATES = {"Any": None, "Standing": False, "Withdrawn": True}
OUTCOMES = {
    Outcome.FIRST.value: "A better",
    Outcome.SECOND.value: "B better",
    **{outcome.value: word for outcome, word in duel_reading.TIES.items()},
}


def pick_row(key: str, shown: tuple[Ballot, ...]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(shown):
        duel_reading.open_duel(shown[rows[0]].duel.id)
    else:
        duel_reading.close_duel()


def turn(key: str, number: int) -> None:
    st.session_state[key] = str(number)


def table(ballots: tuple[Ballot, ...]) -> pd.DataFrame:
    """The votes as people read them."""
    columns: dict[str, list[object]] = {
        "When": [labels.local_time(ballot.vote.at) for ballot in ballots],
        "Vote": [duel_reading.vote_in_words(ballot, names) for ballot in ballots],
    }
    if names:
        columns["A"] = [names[ballot.duel.first_prompt] for ballot in ballots]
        columns["B"] = [names[ballot.duel.second_prompt] for ballot in ballots]
    columns["Input"] = [labels.of_input(inputs[ballot.duel.input]) for ballot in ballots]
    columns["Tags"] = [", ".join(inputs[ballot.duel.input].tags) for ballot in ballots]
    if whose != MINE:
        columns["Rater"] = [raters[ballot.vote.rater] for ballot in ballots]
    columns["State"] = [state(ballot) for ballot in ballots]
    return pd.DataFrame(columns)


def state(ballot: Ballot) -> str:
    if ballot.vote.withdrawn_at is not None:
        return "Withdrawn"
    return "Replay" if ballot.duel.replay else ""


def draw_filters() -> HistoryFilter:
    """The filter row, kept in the URL; whose votes decides whether prompts may be named."""
    tags = sorted({tag for row in inputs.values() for tag in row.tags})
    with st.expander("Filter", icon=":material/filter_alt:", key="history_filters"):
        left, middle, right = st.columns(3)
        outcomes = left.multiselect(
            "Vote", list(OUTCOMES), format_func=lambda one: OUTCOMES[one], key="outcomes", bind="query-params"
        )
        standing = left.segmented_control(
            "State", list(STATES), default="Any", key="state", bind="query-params", required=True
        )
        chosen_tags = middle.multiselect("Input tags", tags, key="tags", bind="query-params")
        pair = []
        if names:
            pair = right.multiselect(
                "Prompts in the duel",
                list(names),
                format_func=lambda prompt: names[prompt],
                max_selections=2,
                key="pair",
                bind="query-params",
                help="One prompt, or the two of a pair.",
            )
    rater = {MINE: me, EVERYONE: None}.get(whose, RaterId(whose))
    return HistoryFilter(
        rater,
        frozenset(Outcome(outcome) for outcome in outcomes),
        frozenset(PromptId(prompt) for prompt in pair),
        frozenset(chosen_tags),
        STATES[standing],
    )


def draw_list(chosen: HistoryFilter) -> None:
    told = repr(
        (study.id, chosen.rater, sorted(chosen.outcomes), sorted(chosen.prompts), sorted(chosen.tags))
    )
    turned = f"page_{hashlib.sha256(f'{told}{chosen.withdrawn}'.encode()).hexdigest()[:12]}"
    number = int(st.session_state.get(turned, "1"))
    found = page(store, study.id, chosen, number, PER_PAGE)
    if not found.complete:
        st.caption(f"Only the newest {FURTHEST:,} votes were looked through.")
    if not found.ballots:
        plain = chosen == HistoryFilter(chosen.rater)
        nobody = "No vote of yours yet." if whose == MINE else "No vote of this rater yet."
        if whose == MINE and visit.session is None:
            nobody += " Choose Everyone above to see those of others."
        st.info(nobody if plain else "No vote passes this filter.")
        return
    key = f"{turned}_{number}"
    st.dataframe(
        table(found.ballots),
        hide_index=True,
        key=key,
        height=min(35 * (len(found.ballots) + 1) + 3, 400),
        selection_mode="single-row",
        on_select=lambda: pick_row(key, found.ballots),
        column_config={
            "When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Vote": st.column_config.TextColumn(width="medium"),
            "Input": st.column_config.TextColumn(width="large"),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if number > 1:
            st.button(
                "Newer", key="newer", on_click=turn, args=(turned, number - 1), icon=":material/arrow_back:"
            )
        if found.more:
            st.button(
                "Older",
                key="older",
                on_click=turn,
                args=(turned, number + 1),
                icon=":material/arrow_forward:",
            )
        first = (number - 1) * PER_PAGE + 1
        st.caption(f"Votes {first:,} to {first + len(found.ballots) - 1:,}. Tick one to read its duel.")


def draw_linked(duel_id: DuelId) -> None:
    """The duel that the URL names, also one of another study."""
    with frame.errors_shown():
        duel = store.duel(duel_id)
        if visit.session is not None and duel.rater != me:
            raise NotAllowed("This duel was asked of another rater.")
        theirs = study if duel.study == study.id else store.study(duel.study)
        if theirs.id != study.id:
            st.caption(f"This duel belongs to the study '{labels.plain(theirs.name)}'.")
        named = theirs.settings.reveal or whose != MINE
        duel_reading.draw(visit, theirs, duel, raters, named)


visit, study = access.rating()
frame.style()
notices.draw()
store = visit.services.store
me = visit.rater_id(study.id)
raters = access.names_of(store.raters(study.id))
raters |= {me: "You"} if me in raters else {}
inputs = {row.id: row for row in store.inputs(study.id)}

st.header("History" if visit.session is None else "My votes", anchor=False)
linked = st.query_params.get(duel_reading.DUEL)
if not raters or not store.ballots(study.id, limit=1):
    if linked:
        draw_linked(DuelId(linked))
        st.stop()
    st.info("No votes yet. Each one will be listed here.", icon=":material/how_to_vote:")
    in_room = visit.session is not None and visit.session.room
    duels = "rater/room.py" if in_room else "rater/duel.py"
    st.page_link(duels, label="Vote", icon=":material/compare_arrows:")
    st.stop()
whose = MINE
if visit.session is None:  # who joined a session sees their own votes alone
    whose = st.selectbox(
        "Votes of",
        [MINE, EVERYONE, *(rater for rater in raters if rater != me)],
        format_func=lambda one: {MINE: "You", EVERYONE: "Everyone"}.get(one) or raters[RaterId(one)],
        key="whose",
        bind="query-params",
        width=260,
    )
named = study.settings.reveal or whose != MINE
names = {prompt.id: prompt.name for prompt in store.prompts(study.id)} if named else {}
chosen = draw_filters()
if linked:
    draw_linked(DuelId(linked))
draw_list(chosen)
