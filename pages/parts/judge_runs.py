"""Automatic runs: how far they are, what they took, a live chart, stop and resume."""

from functools import partial

import streamlit as st

from optimizer.domain import JudgeVotes, RaterKind, Study
from optimizer.generation.costs import money_text
from optimizer.judging.progress import RunProgress, State
from optimizer.judging.run import Run
from optimizer.llm.budget import Budget
from optimizer.results import VoteFilter
from pages.parts import access, charts, keys, labels, limits, notices
from pages.parts.access import Visit

LOOK_EVERY_S, DRAW_EVERY_S = 1.0, 4.0
SHOWN = 3  # newest runs
LEADERS, POINTS = 5, 12
SAID = {
    State.RUNNING: "Judging",
    State.DONE: "Done",
    State.ADVISED: "Stopped: the votes suffice",
    State.CANCELLED: "Stopped by you",
    State.SPENT: "Stopped by the budget",
    State.STOPPED: "Stopped by a fault",
}
UNFINISHED = (State.CANCELLED, State.SPENT, State.STOPPED)


def busy(visit: Visit, study: Study) -> bool:
    """Is a run of the study alive that is no challenge?"""
    return any(not run.ended for run in _newest(visit, study, False))


def draw(visit: Visit, study: Study, challenges: bool = False) -> None:
    """The newest runs of a study, or challenges; looked at again and again only while one is alive."""
    runs = _newest(visit, study, challenges)
    if not runs:
        return
    alive = any(not run.ended for run in runs)

    def look() -> None:
        now = _newest(visit, study, challenges)
        for run in now:
            _draw_run(visit, run)
        if alive is all(run.ended for run in now):
            st.rerun()  # one began or ended: the rest of the screen, and how often to look, follow

    st.fragment(access.while_host(look), run_every=LOOK_EVERY_S if alive else None, key="judge_runs")()
    if not challenges:
        chart = st.fragment(
            access.while_host(_draw_chart), run_every=DRAW_EVERY_S if alive else None, key="judge_race"
        )
        chart(visit, study)


def _newest(visit: Visit, study: Study, challenges: bool) -> list[Run]:
    runs = visit.services.judging.runs(study.id)
    return [run for run in runs if run.plan.follow is not challenges][:SHOWN]


def _draw_run(visit: Visit, run: Run) -> None:
    progress = run.progress()
    with st.container(border=True, key=f"run_{run.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{SAID[progress.state]}**: {_how_far(run, progress)}", width="stretch")
            if not run.ended:
                st.button(
                    "Stop",
                    key=f"stop_{run.id}",
                    icon=":material/stop_circle:",
                    on_click=notices.do,
                    args=(run.cancel,),
                    disabled=progress.state is not State.RUNNING,
                )
            elif progress.state in UNFINISHED:
                spent, label = progress.state is State.SPENT, "The most that this run may take in all"
                limits.resume(run.id, run.plan.budget, spent, partial(_resume, visit, run), label)
        if not run.ended and run.plan.follow:
            st.progress(progress.share)
        for judge in progress.judges:
            facts = [f"{labels.plain(judge.rater.name)}: {labels.counted(judge.votes, 'vote')}"]
            for count, words in (
                (judge.moved, "went with the position (ties)"),
                (judge.undecided, "without a majority (ties)"),
                (judge.unread, "answers not readable (no vote)"),
                (judge.failed, "failed (no vote)"),
            ):
                facts += [f"{count:,} {words}"] if count else []
            st.caption(" · ".join(facts))
        st.caption(labels.plain(" · ".join(_facts(progress))))
        if progress.last_error and not _all_matched(run, progress):
            tell = st.error if progress.state is State.STOPPED else st.warning
            tell(labels.plain(progress.last_error), icon=":material/error:")


def _all_matched(run: Run, progress: RunProgress) -> bool:
    """Is every duel of a challenge judged? That nothing is left to ask is then no fault."""
    return not run.plan.follow and progress.votes >= len(run.plan.matches)


def _how_far(run: Run, progress: RunProgress) -> str:
    if not run.plan.follow:
        return f"{progress.votes:,} of {labels.counted(len(run.plan.matches), 'duel')}"
    wanted = sum(judge.wanted for judge in progress.judges)
    there = sum(judge.before + judge.votes for judge in progress.judges)
    return f"{there:,} of {labels.counted(wanted, 'vote')}"


def _facts(progress: RunProgress) -> list[str]:
    spent = progress.spent
    facts = [labels.counted(spent.calls, "call"), labels.counted(spent.tokens, "token")]
    facts += [money_text(spent.money)] if spent.money else []
    if progress.state is State.RUNNING:
        facts += [f"{progress.per_second:.1f} votes a second"] if progress.per_second else []
        if progress.seconds_left is not None and progress.seconds_left < 30 * 24 * 3600:
            facts.append(f"about {_span(progress.seconds_left)} left")
        facts += ["waiting for outputs"] if progress.waiting else []
    return facts


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _resume(visit: Visit, run: Run, budget: Budget | None) -> None:
    notices.attempt(
        lambda: visit.services.judging.resume(run, keys.typed(visit), budget), "The judges are at work again."
    )


def _draw_chart(visit: Visit, study: Study) -> None:
    """P(best) of the leaders over the votes, as the judges' duels are chosen by it."""
    beside = study.settings.judge_votes == JudgeVotes.BESIDE
    chosen = VoteFilter(kind=RaterKind.JUDGE if beside else None)
    race = visit.services.results.race(study, chosen, POINTS)
    if race.votes[-1] < 2:
        return
    leaders = sorted(range(len(race.names)), key=lambda arm: -race.p_best[-1, arm])[:LEADERS]
    figure = charts.p_best_over_votes(race, leaders, study.settings.confidence)
    st.plotly_chart(figure, key="judge_race_chart", config={**charts.CONFIG, **charts.file_name("judges")})
    whose = "judges alone" if beside else "people and judges, as this study counts them"
    st.caption(f"By the votes of {whose}.")
