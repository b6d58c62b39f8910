"""Presentation: the decision as slides that fill the window, with a duel for those in the room."""

from dataclasses import replace

import streamlit as st

from optimizer.domain import Study
from optimizer.reports.numbers import percent, probability
from optimizer.results import VoteFilter
from optimizer.standings import Race, Standings
from optimizer.visible import visible
from pages.parts import access, audience, charts, frame, labels, report_blocks, slides
from pages.parts.access import Visit

QUESTION, DUEL, RACE, REVEAL, WINNER = "Question", "Duel", "Race", "Reveal", "Winner"
SLIDES = (QUESTION, DUEL, RACE, REVEAL, WINNER)
RACE_POINTS = 16
HEIGHT = 470
MOST_CAUTIONS = 2


def draw_question(visit: Visit, study: Study) -> None:
    st.markdown("## Which prompt is best for this task?")
    st.markdown(f"# {labels.plain(study.task or study.name)}")
    lines = [line.strip() for line in study.criteria.splitlines() if line.strip()]
    st.markdown("\n".join(f"- {labels.plain(line)}" for line in lines))
    prompts = [p for p in visit.services.store.prompts(study.id) if p.retired_at is None]
    inputs = [row for row in visit.services.store.inputs(study.id) if row.retired_at is None]
    votes = visit.services.results.standings(study).votes  # as on the later slides: those that count
    st.markdown(
        f"{labels.counted(len(prompts), 'prompt')}, {labels.counted(len(inputs), 'input')}, "
        f"{labels.counted(votes, 'vote')} so far, all blind."
    )
    if study.about:
        st.caption(labels.plain(study.about))


def draw_race(race: Race, standings: Standings, study: Study, named: bool) -> None:
    """The chance to be the best over the votes; before the reveal the lines have numbers for names."""
    order = {prompt.id: arm for arm, prompt in enumerate(standings.arms)}
    arms = [order[row.prompt.id] for row in standings.rows][: charts.MOST_LINES]
    if len(race.votes) < 2:
        st.markdown("## Nobody has voted yet.")
        return
    if not named:
        race = replace(race, names=tuple(f"Prompt {arm + 1}" for arm in range(len(race.names))))
    figure = charts.p_best_over_votes(race, sorted(arms) if not named else arms, study.settings.confidence)
    figure.update_layout(
        height=HEIGHT, title=None, font={"size": 20}, legend={"font": {"size": 20}, "y": -0.32}
    )
    figure.update_xaxes(tickfont={"size": 18}, title={"font": {"size": 20}})
    figure.update_yaxes(tickfont={"size": 18}, title={"font": {"size": 20}})
    figure.update_traces(line={"width": 5}, marker={"size": 9})
    st.plotly_chart(figure, key=f"stage_race_{named}", config=charts.CONFIG)


def draw_reveal(visit: Visit, study: Study, race: Race, standings: Standings) -> None:
    seen = audience.told(visit, study)
    if not seen:
        st.markdown("## The lines were")
        draw_race(race, standings, study, named=True)
        return
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        st.markdown("## The lines were")
        draw_race(race, standings, study, named=True)
    with right:
        st.markdown("## What you voted on")
        rows = "\n".join(
            f"| {labels.plain(one.first)} | {labels.plain(one.second)} | {one.said} |" for one in seen
        )
        st.markdown(f"| A was | B was | You said |\n|---|---|---|\n{rows}")


def draw_winner(visit: Visit, standings: Standings, study: Study) -> None:
    row = next((row for row in standings.rows if row.prompt.retired_at is None), None)
    if row is None or not standings.votes:
        st.markdown("## Nobody has voted yet.")
        return
    st.markdown(f"# {labels.plain(row.prompt.name)}")
    does = "Beats every other prompt" if standings.cyclic else "Best"
    st.markdown(f"## {does} with a probability of {probability(standings.p_winner)}")
    st.markdown(
        f"It beats another prompt of the pool in **{percent(row.chance)}** of duels (90 % interval "
        f"{percent(row.chance_low)} to {percent(row.chance_high)}), after "
        f"{labels.counted(standings.votes, 'vote')} by {labels.counted(standings.raters, 'rater')}."
    )
    for caution in report_blocks.gathered(visit, study, VoteFilter()).cautions[:MOST_CAUTIONS]:
        st.markdown(f":material/warning: {labels.plain(caution.told)}")
    if row.prompt.text:
        with st.container(key="slide_prompt"):
            st.code(visible(row.prompt.text), language=None, wrap_lines=True)


visit, study = access.enter()
st.html(slides.STYLE)
frame.show_message()
slide = slides.current(SLIDES)
with st.container(key="slide"):
    match slide:
        case "Question":
            draw_question(visit, study)
        case "Duel":
            st.markdown("## Which one is better?")
            audience.draw(visit, study)
        case _:
            standings = visit.services.results.standings(study)
            if slide == WINNER:
                draw_winner(visit, standings, study)
            else:
                race = visit.services.results.race(study, None, RACE_POINTS)
                if slide == RACE:
                    st.markdown("## Who is the best? The chance of each prompt, vote by vote")
                    draw_race(race, standings, study, named=False)
                else:
                    draw_reveal(visit, study, race, standings)
if slides.bar(SLIDES, slide):
    st.switch_page("host/report.py")
