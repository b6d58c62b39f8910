"""The duel screen: its buttons vote on what is shown, and a scripted rater's favourite wins."""

import pytest
from streamlit.testing.v1 import AppTest

from optimizer.assemble import Services
from optimizer.domain import Duel, DuelId, Grade, Outcome, Rater, RaterId, Study
from optimizer.results import Results
from optimizer.standings import Standings
from optimizer.storage.base import Counters
from pages.parts.keyguard import ON_SCREEN


def shown(app: AppTest, running: Services) -> Duel:
    """The duel that is on the screen."""
    return running.store.duel(DuelId(app.text_area(key=ON_SCREEN).value or ""))


def press(app: AppTest, key: str) -> None:
    app.button(key=f"vote_{key}").click().run()


def first_study(running: Services) -> Study:
    return running.store.studies()[0]


def test_the_first_screen_is_a_pair_of_the_sample(app: AppTest, running: Services) -> None:
    assert not app.exception
    duel = shown(app, running)
    drawn = [markdown.value for markdown in app.markdown]
    for output in (duel.first, duel.second):
        start = running.store.output(output).text.split("\n")[0][:20]
        assert any(start in text for text in drawn)
    assert any("written in advance" in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("key", "outcome", "grade"),
    [
        ("A", Outcome.FIRST, None),
        ("B", Outcome.SECOND, None),
        ("T", Outcome.BOTH_GOOD, None),
        ("N", Outcome.BOTH_BAD, None),
        ("S", Outcome.SKIP, None),
        ("1", Outcome.FIRST, Grade.CLEARLY),
        ("2", Outcome.FIRST, Grade.SLIGHTLY),
        ("3", Outcome.BOTH_GOOD, None),
        ("4", Outcome.SECOND, Grade.SLIGHTLY),
        ("5", Outcome.SECOND, Grade.CLEARLY),
    ],
)
def test_each_button_stores_its_outcome(
    app: AppTest, running: Services, key: str, outcome: Outcome, grade: Grade | None
) -> None:
    duel = shown(app, running)
    press(app, key)
    (ballot,) = running.store.ballots(duel.study, duel=duel.id)
    assert (ballot.vote.outcome, ballot.vote.grade) == (outcome, grade)
    assert shown(app, running).id != duel.id


@pytest.mark.parametrize(("better", "worse"), [("A", "B"), ("1", "5"), ("2", "4")])
def test_the_favourite_of_a_scripted_rater_wins_on_either_side(
    app: AppTest, running: Services, better: str, worse: str
) -> None:
    """The sign, from the button to the standings: preferences known, sides drawn by the app."""
    study = first_study(running)
    order = [prompt.id for prompt in running.store.prompts(study.id)]
    sides = set()
    for _ in range(40):
        duel = shown(app, running)
        first, second = order.index(duel.first_prompt), order.index(duel.second_prompt)
        press(app, better if first > second else worse)
        sides.add(first > second)
    assert sides == {True, False}
    rows = running.results.standings(study).rows
    assert rows[0].prompt.id == order[-1]
    assert rows[0].losses == 0


def test_when_the_advice_is_to_stop_the_ways_on_stand_beside_it(
    app: AppTest, running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:

    def at_once(results: Results, study: Study, _counters: Counters) -> Standings:
        return results.standings(study)  # not when it is calm

    monkeypatch.setattr(Results, "latest", at_once)
    study = first_study(running)
    order = [prompt.id for prompt in running.store.prompts(study.id)]

    def ways() -> list[str]:
        return [link.proto.label for link in app.get("page_link") if link.proto.label == "Read the report"]

    assert not ways()
    rater = running.workshop.join(study.id, Rater(RaterId("other"), study.id, "Other")).id
    for _ in range(60):
        duel = running.workshop.next_duel(study.id, rater).duel
        first = order.index(duel.first_prompt) > order.index(duel.second_prompt)
        running.workshop.record_vote(duel.id, rater, Outcome.FIRST if first else Outcome.SECOND)
    app.run()
    assert any("Stop." in caption.value for caption in app.caption)
    assert len(ways()) == 1


@pytest.mark.parametrize("key", ["T", "N", "3", "S"])
def test_answers_without_a_winner_favour_nobody(app: AppTest, running: Services, key: str) -> None:
    for _ in range(5):
        press(app, key)
    assert all(abs(row.strength) < 1e-9 for row in running.results.standings(first_study(running)).rows)


def test_undo_shows_the_same_pair_again(app: AppTest, running: Services) -> None:
    duel = shown(app, running)
    press(app, "A")
    app.button(key="undo").click().run()
    assert shown(app, running).id == duel.id
    assert running.results.standings(first_study(running)).votes == 0


def test_undo_without_a_vote_says_so(app: AppTest, running: Services) -> None:
    app.button(key="undo").click().run()
    assert not app.exception
    assert any("no vote of yours" in toast.value for toast in app.toast)


@pytest.mark.parametrize("key", ["vote_A", "vote_4", "vote_S", "undo"])
def test_a_press_meant_for_the_last_pair_does_nothing_to_this_one(
    app: AppTest, running: Services, key: str
) -> None:
    """On a slow network a second press may come when the server is at the next pair."""
    last = shown(app, running)
    press(app, "A")
    now = shown(app, running)
    app.text_area(key=ON_SCREEN).set_value(last.id)  # what that browser has on its screen
    app.button(key=key).click().run()
    assert shown(app, running).id == now.id
    assert [ballot.duel.id for ballot in running.store.ballots(last.study)] == [last.id]
    press(app, "B")  # seen by now
    assert running.store.counters(last.study).votes == 2


def test_the_last_vote_is_said_and_opened_by_key(app: AppTest, running: Services) -> None:
    app.button(key="tool_L").click().run()
    assert any("No vote since" in caption.value for caption in app.caption)
    duel = shown(app, running)
    press(app, "2")
    assert any(caption.value.startswith("Last vote: A, slightly · 1 vote") for caption in app.caption)
    names = [prompt.name for prompt in running.store.prompts(duel.study) if prompt.id == duel.first_prompt]
    assert f"A was **{names[0]}**" in [markdown.value for markdown in app.markdown]
    app.button(key="undo").click().run()
    assert not any(caption.value.startswith("Last vote") for caption in app.caption)


def test_without_outputs_the_screen_says_what_to_do(app: AppTest, running: Services) -> None:
    study = running.studies.create("Empty", "A task")
    app.run()
    app.selectbox(key="study").set_value(study.id).run()
    assert not app.exception
    assert any("two prompts" in info.value for info in app.info)


def test_without_any_study_there_is_one_button(app: AppTest, running: Services) -> None:
    for study in running.store.studies():
        running.studies.archive(study.id)
    app.run()
    assert not app.exception
    app.button[0].click().run()
    assert not app.exception
    assert shown(app, running)


def test_the_standings_follow_the_votes(app: AppTest, running: Services) -> None:
    for _ in range(8):
        press(app, "A")
    app.switch_page("host/standings.py").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["Rank"]) == list(range(1, 8))
    assert table["Duels"].sum() == 16
    assert any("leads" in banner.value for banner in app.info)
