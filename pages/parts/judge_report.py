"""How far judges may be trusted: beside people, in both orders, over time; and what their votes add."""

import math

import pandas as pd
import streamlit as st

from optimizer.domain import RaterId, Study, StudyId
from optimizer.judging.bar import Bar, JudgeReport
from optimizer.stats.agreement import Coefficient
from optimizer.stats.judge_bias import Rate
from pages.parts import charts, judge_charts, labels, notices
from pages.parts.access import Visit

UNKNOWN = "–"


def draw(visit: Visit, study: Study) -> None:
    """All judges in a table, one of them in full."""
    counters = visit.services.store.counters(study.id)
    version = (counters.content_version, counters.vote_version, study.settings.judge_bar)
    reports = {report.rater.id: report for report in _reports(visit.services.judging.bar, study.id, version)}
    if not reports:
        st.info("No judge has voted in this study yet.", icon=":material/gavel:")
        return
    st.dataframe(_table(list(reports.values())), hide_index=True)
    chosen = next(iter(reports))
    if len(reports) > 1:
        chosen = st.selectbox(
            "Judge", list(reports), format_func=lambda key: reports[key].rater.name, key=f"report_{study.id}"
        )
    report = reports[chosen]
    _draw_state(visit, report)
    _draw_agreement(visit, study, report, version)
    left, right = st.columns(2, gap="medium")
    with left:
        _show(judge_charts.confusion(report.confusion), "confusion")
    with right:
        if len(report.agreed) > 1:
            _show(judge_charts.agreement_over_time(report.agreed), "agreement")
    st.markdown("**What may be wrong with it**")
    st.dataframe(_checks(report), hide_index=True)
    st.caption("Tests are exact and two-sided; intervals hold 95 %. A p below 0.05 is marked.")
    _draw_rates(visit, study, report)


def _show(figure: charts.go.Figure, name: str) -> None:
    st.plotly_chart(figure, key=f"judge_{name}", config={**charts.CONFIG, **charts.file_name(name)})


def _table(reports: list[JudgeReport]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Judge": [report.rater.name for report in reports],
            "Votes": [report.votes for report in reports],
            "Agrees with people": [percent(report.agreement) for report in reports],
            "Kappa": [number(report.kappa) for report in reports],
            "State": [_state(report) for report in reports],
        }
    )


def _state(report: JudgeReport) -> str:
    if report.rater.set_aside_at is not None:
        return "Set aside: its votes do not count"
    if report.position_biased:
        return "Position-biased"
    return "Uninformative" if report.uninformative else "May vote"


def _draw_state(visit: Visit, report: JudgeReport) -> None:
    bar, rater = visit.services.judging.bar, report.rater
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(labels.plain(rater.name), anchor=False, width="stretch")
        if rater.set_aside_at is None:
            st.button(
                "Set aside",
                key=f"aside_{rater.id}",
                icon=":material/block:",
                on_click=notices.do,
                args=(lambda: bar.set_aside(rater.id), f"{rater.name} is set aside. Its votes stay."),
            )
        else:
            st.button(
                "Let it vote",
                key=f"let_{rater.id}",
                icon=":material/how_to_vote:",
                on_click=notices.do,
                args=(lambda: bar.let_vote(rater.id), f"The votes of {rater.name} count again."),
            )
    for warning in report.warnings:
        st.warning(labels.plain(warning), icon=":material/warning:")


def _draw_agreement(visit: Visit, study: Study, report: JudgeReport, version: object) -> None:
    bar = visit.services.judging.bar
    people, together = (_alpha(bar, study.id, judge, version) for judge in (None, report.rater.id))
    facts = (
        ("Agrees with people", percent(report.agreement), f"On {report.agreement.n} duels where both prefer "
         "one output."),
        ("People with each other", percent(report.among_people), "The most that can be asked of a judge."),
        ("Cohen's kappa", number(report.kappa), "Agreement beyond chance, ties included: 1 is complete, "
         "0 that of chance."),
        ("Alpha with people", number(together), "Krippendorff's coefficient of people and this judge "
         "together: like kappa, but of any number of raters."),
        ("Alpha of people", number(people), "The same of people alone."),
        ("Repeats itself", ratio(report.consistency), "Of duels asked more than once."),
    )  # fmt: skip
    with st.container(horizontal=True):
        for label, value, about in facts:
            middle, _, interval = value.partition(" (")
            told = f"95 %: {interval.rstrip(')')}" if interval else about
            with st.container(width=170, gap="xxsmall"):
                st.metric(label, middle, help=about)
                st.caption("not known yet" if value == UNKNOWN else told)


def _checks(report: JudgeReport) -> pd.DataFrame:
    position, length, drift = report.position, report.length, report.drift
    rows = [("Output shown first wins", percent(report.first), report.first.n, p_value(report.first))]
    if position is not None:
        rows += [
            ("Verdict goes with the position", percent(position.dependent), position.dependent.n, ""),
            (
                "… and then favours the first",
                percent(position.favours_first),
                position.favours_first.n,
                p_value(position.favours_first),
            ),
        ]
    rows += [
        (
            "Longer output wins",
            percent(length.prefers_longer),
            length.prefers_longer.n,
            p_value(length.prefers_longer),
        ),
        (
            "Prefers the longer where people do not, or not where they do",
            percent(length.more_than_people),
            length.more_than_people.n,
            p_value(length.more_than_people),
        ),
    ]
    if drift is not None:
        moved = f"{drift.before:.0%} → {drift.after:.0%} ({drift.low:+.0%} to {drift.high:+.0%})"
        rows.append(
            ("Agreement, earlier half → later half", moved, len(report.agreed), told_p(drift.p_value))
        )
    return pd.DataFrame(rows, columns=["Check", "Found (95 % interval)", "Duels", "Against chance"])


def _draw_rates(visit: Visit, study: Study, report: JudgeReport) -> None:
    st.markdown("**What its votes add to the people's**")
    audit = st.toggle(
        "Random audit duels only",
        key="powered_audit",
        help="Then people's duels and the judge's others are drawn alike, as the method asks.",
    )
    found = visit.services.judging.bar.powered(study.id, report.rater.id, audit)
    if not found:
        st.info("This needs ten duels of a prompt with votes of people and of the judge.")
        return
    names = {prompt.id: labels.one_line(prompt.name, 30) for prompt in visit.services.store.prompts(study.id)}
    rates = sorted(((names[key], rate) for key, rate in found.items()), key=lambda row: -row[1].value)
    _show(judge_charts.win_rates(rates), "win_rates")
    saved = max(0.0, *(rate.saved for _, rate in rates))
    st.caption(
        "Prediction-powered: the judge's mean over all its duels, corrected by its error where people voted "
        "too. It aims at the people's rate whatever the judge is worth. At best the judge stands for "
        f"{saved:.0%} of the people's votes here."
    )


def percent(rate: Rate) -> str:
    """'82% (70% to 90%)'."""
    if not rate.n:
        return UNKNOWN
    return f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%})"


def number(found: Coefficient) -> str:
    """'0.61 (0.42 to 0.80)'."""
    if math.isnan(found.value):
        return UNKNOWN
    value, low, high = (round(x, 2) + 0.0 for x in (found.value, found.low, found.high))  # no -0.00
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def ratio(value: float) -> str:
    return UNKNOWN if math.isnan(value) else f"{value:.0%}"


def p_value(rate: Rate) -> str:
    """The test against an even coin; nothing where nothing is known."""
    return told_p(rate.p_value) if rate.n else ""


def told_p(p: float) -> str:
    return f"{'⚠ ' if p < 0.05 else ''}p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"


@st.cache_data(max_entries=16, show_spinner=False)
def _reports(_bar: Bar, study: StudyId, version: object) -> list[JudgeReport]:
    """Read from all votes, so once per state of the study."""
    return _bar.reports(study)


@st.cache_data(max_entries=32, show_spinner=False)
def _alpha(_bar: Bar, study: StudyId, judge: RaterId | None, version: object) -> Coefficient:
    return _bar.alpha(study, judge)
