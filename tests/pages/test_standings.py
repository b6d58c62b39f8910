"""The standings screen: its table adds up, its filters choose whose votes count, its charts have numbers."""

from collections.abc import Callable

import pytest

from optimizer.domain import Outcome, Rater, RaterId, RaterKind, Study
from optimizer.standings import Race
from pages.parts import charts
from tests.pages.visitor import Visitor


def vote(visitor: Visitor, study: Study, rater: RaterId, votes: int, best: str) -> None:
    """A rater who always prefers one prompt, and else says that both are good."""
    workshop = visitor.services.workshop
    for _ in range(votes):
        duel = workshop.next_duel(study.id, rater).duel
        outcome = {duel.first_prompt: Outcome.FIRST, duel.second_prompt: Outcome.SECOND}.get(best)  # type: ignore[call-overload]
        workshop.record_vote(duel.id, rater, outcome or Outcome.BOTH_GOOD)


@pytest.fixture
def study(visitor: Visitor) -> Study:
    """The sample, voted on by a person who likes its first prompt and a judge that likes its last."""
    study = visitor.services.store.studies()[0]
    prompts = visitor.services.store.prompts(study.id)
    for name, kind, best in (("ann", RaterKind.HUMAN, prompts[0]), ("judge", RaterKind.JUDGE, prompts[-1])):
        rater = visitor.services.workshop.join(study.id, Rater(RaterId(name), study.id, name, kind))
        vote(visitor, study, rater.id, 30, best.id)
    return study


def test_without_votes_there_is_a_way_to_vote(visitor: Visitor) -> None:
    visitor.at.switch_page("host/standings.py").run()
    assert not visitor.at.exception
    assert any("No votes yet" in info.value for info in visitor.at.info)


def test_the_table_and_the_advice(visitor: Visitor, study: Study) -> None:
    app = visitor.at.switch_page("host/standings.py").run()
    assert not app.exception
    table = app.dataframe[0].value
    first = visitor.services.store.prompts(study.id)[0].name
    assert table["Prompt"].iloc[0] == first  # the judge's votes stand beside the person's
    assert list(table["Strength"]) == sorted(table["Strength"], reverse=True)
    assert table["Probably best"].sum() == pytest.approx(100, abs=0.1)
    assert any(first in banner.value for banner in [*app.info, *app.success])


def test_filters_show_judges_only(visitor: Visitor, study: Study) -> None:
    app = visitor.at.switch_page("host/standings.py").run()
    app.segmented_control(key="kind").set_value("Judges").run()
    assert not app.exception
    assert app.dataframe[0].value["Prompt"].iloc[0] == visitor.services.store.prompts(study.id)[-1].name
    assert any("by judges" in caption.value for caption in app.caption)


def test_filters_by_rater_and_tag_narrow_the_votes(visitor: Visitor, study: Study) -> None:
    app = visitor.at.switch_page("host/standings.py").run()
    everything = app.dataframe[0].value["Duels"].sum()
    app.multiselect(key="tags").set_value(["complaint"]).run()
    assert not app.exception
    assert 0 < app.dataframe[0].value["Duels"].sum() < everything


def test_charts_say_what_the_numbers_say(visitor: Visitor, study: Study) -> None:
    race: Race = visitor.services.results.race(study)
    standings = visitor.services.results.standings(study)
    figure = charts.p_best_over_votes(race, [0, 1], 0.95)
    assert [trace.name for trace in figure.data] == [race.names[0], race.names[1]]
    assert list(figure.data[0].y) == pytest.approx(list(100 * race.p_best[:, 0]))
    heat = charts.wins_heatmap(standings).data[0]
    i, j = next((i, j) for i, row in enumerate(standings.played) for j, n in enumerate(row) if n)
    assert heat.z[i][j] == pytest.approx(100 * standings.wins[i, j] / standings.played[i, j])


def test_a_retired_prompt_wins_by_no_definition(visitor: Visitor, study: Study) -> None:
    strongest = visitor.services.results.standings(study).rows[0].prompt
    visitor.services.prompts.retire(study.id, strongest.id)
    visitor.at.session_state["charts"] = "Other ways to win"
    visitor.go("host/standings.py", study)
    winners = visitor.shown().partition("**Bradley-Terry**")[2].partition("never met")[0]
    assert "**Condorcet**" in winners
    assert strongest.name not in winners


def test_names_of_prompts_are_neither_numbers_nor_html_in_charts(visitor: Visitor) -> None:
    study = visitor.study(["2", "<b>10</b>"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST, Outcome.FIRST])
    standings = visitor.services.results.standings(study)
    strengths = charts.strengths(standings)
    assert list(strengths.data[0].y) == ["&lt;b&gt;10&lt;/b&gt;", "2"]
    assert strengths.layout.yaxis.type == "category"
    heat = charts.wins_heatmap(standings)
    assert (heat.layout.xaxis.type, heat.layout.yaxis.type) == ("category", "category")
    race = charts.p_best_over_votes(visitor.services.results.race(study), [1], 0.95)
    assert race.data[0].name == "&lt;b&gt;10&lt;/b&gt;"


def test_prompts_that_cannot_be_asked_are_named(visitor: Visitor) -> None:
    """Without outputs they may always be the best, so that no number of votes would bring an end."""
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST])
    assert "No duel can be asked" not in str(visitor.go("host/standings.py", study).warning)
    visitor.services.prompts.write(study.id, "Unborn", "{{text}}")
    (warning,) = visitor.go("host/standings.py", study).warning
    assert "No duel can be asked with 'Unborn':" in warning.value


def test_who_never_said_a_name_is_called_the_same_on_every_screen(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST])
    app = visitor.go("host/standings.py", study)
    assert "1 vote by people" in visitor.shown()
    (label,) = app.multiselect(key="raters").options
    assert label.startswith("Rater 1 (")
    assert list(visitor.go("host/raters.py", study).dataframe[0].value["Rater"]) == ["Rater 1"]


def test_the_numbers_of_every_chart_come_as_a_file(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is made when the button is pressed, which the harness cannot do."""
    files: dict[str, bytes] = {}

    def pressed(label: str, data: Callable[[], bytes], name: str, *_: object, **__: object) -> bool:
        files[name] = data()
        return False

    monkeypatch.setattr("streamlit.download_button", pressed)
    app = visitor.go("host/standings.py", study)
    for tab in ("Over the votes", "Pair by pair", "Strengths"):
        app.session_state["charts"] = tab
        visitor.run()
    lines = {name: file.decode().splitlines() for name, file in files.items()}
    prompts = len(visitor.services.store.prompts(study.id))
    assert set(lines) == {"win_rate.csv", "p_best.csv", "wins.csv", "duels.csv", "strengths.csv"}
    assert lines["p_best.csv"][0] == "\ufeffvotes,prompt,p_best,chance,chance_low,chance_high,observed"
    assert len(lines["wins.csv"]) == 1 + prompts * (prompts - 1)
    assert len(lines["strengths.csv"]) == 1 + prompts
    assert not any("nan" in line for line in lines["p_best.csv"])


def test_a_race_of_few_votes_is_drawn_in_whole_votes_and_without_stray_dots(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST, Outcome.BOTH_GOOD])
    figure = charts.win_rate_over_votes(visitor.services.results.race(study), [0, 1], observed=False)
    assert figure.layout.xaxis.dtick == 1
    assert {line.mode for line in figure.data if line.fill} == {"none"}


def test_other_winners_have_met_somebody(visitor: Visitor) -> None:
    made = visitor.study(["Terse", "Warm", "Idle"], ["one"], outputs=True)
    visitor.voted(made, [Outcome.FIRST] * 3 + [Outcome.SECOND])
    app = visitor.go("host/standings.py", made)
    app.session_state["charts"] = "Other ways to win"
    visitor.run()
    (named,) = [part.value for part in app.markdown if "von Neumann" in part.value]
    assert "Idle" not in named
    assert "Copeland** (beats the most prompts): Terse" in named
    assert any("without a duel against another that competes: “Idle”" in part.value for part in app.caption)


def test_where_no_two_that_compete_have_met_no_other_winner_is_named(visitor: Visitor) -> None:
    made = visitor.study(["Terse", "Warm", "Idle"], ["one"], outputs=True)
    visitor.voted(made, [Outcome.FIRST] * 6)
    visitor.services.prompts.retire(made.id, visitor.services.store.prompts(made.id)[0].id)
    app = visitor.go("host/standings.py", made)
    app.session_state["charts"] = "Other ways to win"
    visitor.run()
    assert "No two of the prompts that compete have met yet." in visitor.shown()
    assert not any("von Neumann" in part.value for part in app.markdown)
