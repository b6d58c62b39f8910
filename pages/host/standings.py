"""Standings: who leads, how sure that is, and whether to stop."""

from functools import partial

import pandas as pd
import streamlit as st

from optimizer.domain import Study
from optimizer.formats.writing import csv_lines
from optimizer.results import VoteFilter
from optimizer.standings import Race, Standings
from pages.parts import access, advice, charts, filters, frame, labels

OBSERVED, MODEL = "Observed", "Model"
BEST, STRONGEST = "Probably best", "Probably strongest"


def table(standings: Standings) -> pd.DataFrame:
    """The standings as people read them: what decides comes first, a small screen shows no more."""
    retired = {row.prompt.id: " (retired)" for row in standings.rows if row.prompt.retired_at}
    return pd.DataFrame(
        {
            "Rank": range(1, len(standings.rows) + 1),
            "Prompt": [row.prompt.name + retired.get(row.prompt.id, "") for row in standings.rows],
            STRONGEST if standings.cyclic else BEST: [100 * row.p_best for row in standings.rows],
            "Beats a random one": [100 * row.chance for row in standings.rows],
            "Duels": [row.duels for row in standings.rows],
            "Rank range": [
                f"{row.rank_low}" if row.rank_low == row.rank_high else f"{row.rank_low} to {row.rank_high}"
                for row in standings.rows
            ],
            "Strength": [row.strength for row in standings.rows],
            "90 % interval": [f"{row.low:+.2f} to {row.high:+.2f}" for row in standings.rows],
            "Wins": [row.wins for row in standings.rows],
            "Losses": [row.losses for row in standings.rows],
            "Both good": [row.both_good for row in standings.rows],
            "Both bad": [row.both_bad for row in standings.rows],
        }
    )


def draw_table(standings: Standings) -> None:
    percent = partial(
        st.column_config.ProgressColumn, min_value=0.0, max_value=100.0, width=130, format="%.0f %%"
    )
    st.dataframe(
        table(standings),
        hide_index=True,
        column_config={
            "Strength": st.column_config.NumberColumn(format="%+.2f", help="Logits above the average."),
            BEST: percent(help="Probability that this prompt is the best of the pool, given the votes."),
            STRONGEST: percent(
                help="Probability that this prompt is the strongest, on average over its opponents. Where "
                "preferences run in a circle, that does not say who wins."
            ),
            "Beats a random one": percent(
                help="Chance to win a duel against another prompt drawn at random from the pool."
            ),
        },
    )


def draw_race(race: Race, standings: Standings, study: Study) -> None:
    order = {prompt.id: arm for arm, prompt in enumerate(standings.arms)}
    arms = [order[row.prompt.id] for row in standings.rows][: charts.MOST_LINES]
    if len(standings.rows) > len(arms):
        st.caption(f"The first {len(arms)} of {len(standings.rows)} prompts.")
    which = st.segmented_control(
        "Win rate", [MODEL, OBSERVED], default=MODEL, key="rate", bind="query-params", required=True,
        help="The model's chance to beat a random prompt is fair to every prompt; the observed win rate "
        "depends on whom a prompt was asked to meet.",
    )  # fmt: skip
    show(charts.win_rate_over_votes(race, arms, which == OBSERVED), "win_rate", race_csv(race))
    show(charts.p_best_over_votes(race, arms, study.settings.confidence), "p_best", race_csv(race))


def race_csv(race: Race) -> pd.DataFrame:
    """The race, one line per prompt and number of votes."""
    return pd.DataFrame(
        [
            {
                "votes": votes,
                "prompt": name,
                "p_best": race.p_best[row, arm],
                "chance": race.chance[row, arm],
                "chance_low": race.chance_low[row, arm],
                "chance_high": race.chance_high[row, arm],
                "observed": race.observed[row, arm],
            }
            for row, votes in enumerate(race.votes)
            for arm, name in enumerate(race.names)
        ]
    )


def show(figure: charts.go.Figure, name: str, data: pd.DataFrame) -> None:
    """A chart, its picture in the tool bar, and its numbers as CSV."""
    st.plotly_chart(figure, key=f"chart_{name}", config={**charts.CONFIG, **charts.file_name(name)})
    st.download_button(
        "Numbers as CSV",
        lambda: csv_of(data),
        f"{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        type="tertiary",
        on_click="ignore",
    )


def csv_of(data: pd.DataFrame) -> bytes:
    """The numbers as a file; names of prompts are people's texts, so they are guarded as in every export."""
    cells = data.astype(object).where(data.notna(), None)  # what is not known stays empty
    return "".join(csv_lines(list(data.columns), cells.itertuples(index=False, name=None))).encode()


def pairs_csv(standings: Standings) -> pd.DataFrame:
    """Wins and duels of every ordered pair."""
    names = [prompt.name for prompt in standings.arms]
    return pd.DataFrame(
        [
            {"prompt": a, "against": b, "wins": standings.wins[i, j], "duels": standings.played[i, j]}
            for i, a in enumerate(names)
            for j, b in enumerate(names)
            if i != j
        ]
    )


def draw_unmatched() -> None:
    """Prompts without outputs keep the standings open whatever is voted, and nobody would see why."""
    if study.settings.connection:
        return  # their outputs come while people vote
    waiting = visit.services.workshop.unmatched(study.id)
    if not waiting:
        return
    named = ", ".join(f"'{labels.plain(prompt.name)}'" for prompt in waiting[:3])
    more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
    st.warning(
        f"No duel can be asked with {named}{more}: no input has an output of that prompt and of another one. "
        "It may still be the best, so the advice waits for it. Upload or generate outputs, or retire it.",
        icon=":material/person_off:",
    )
    with st.container(horizontal=True):
        st.page_link("host/outputs.py", label="Outputs", icon=":material/grid_view:")
        st.page_link("host/prompts.py", label="Prompts", icon=":material/edit_note:")


visit, study = access.enter()
frame.style()
frame.show_message()
st.header("Standings", anchor=False)
chosen: VoteFilter = filters.draw(visit, study)
standings = visit.services.results.standings(study, chosen)
if not standings.votes:
    st.info("No votes yet. The standings begin with the first one.", icon=":material/how_to_vote:")
    st.page_link("rater/duel.py", label="Vote", icon=":material/compare_arrows:")
    st.stop()

advice.banner(standings)
draw_unmatched()
with st.container(horizontal=True):
    st.metric("Votes counted", f"{standings.votes:,}", width="content")
    st.metric("Raters", f"{standings.raters:,}", width="content")
    st.metric("Skipped", f"{standings.skips:,}", width="content")
    if standings.judge_votes:
        st.metric("By judges", f"{standings.judge_votes / standings.votes:.0%}", width="content")
told = filters.described(chosen, standings), filters.left_out(visit, study, chosen, standings)
st.caption(" ".join(told))
draw_table(standings)

race_tab, pairs_tab, strengths_tab, winners_tab = st.tabs(
    ["Over the votes", "Pair by pair", "Strengths", "Other ways to win"], on_change="rerun", key="charts"
)
if race_tab.open:
    with race_tab:
        draw_race(visit.services.results.race(study, chosen), standings, study)
if pairs_tab.open:
    with pairs_tab:
        left, right = st.columns(2)
        with left:
            show(charts.wins_heatmap(standings), "wins", pairs_csv(standings))
        with right:
            show(charts.counts_heatmap(standings), "duels", pairs_csv(standings))
if strengths_tab.open:
    with strengths_tab:
        show(charts.strengths(standings), "strengths", table(standings))
if winners_tab.open:
    with winners_tab:
        advice.winners(standings)
