import json
from dataclasses import asdict

import numpy as np
import pytest
from click.testing import CliRunner

from optimizer.selectors import SELECTORS
from optimizer.simulate import Result, Scene, simulate
from optimizer.simulate_cli import simulate as command
from optimizer.simulation.run import ReadOut, Recommend, Terms, play
from optimizer.simulation.worlds import Setting, from_matrix, from_strengths

SCENE = Scene("btl", Setting(arms=5, votes=30))


def told(results: list[Result]) -> str:
    """Everything but the seconds."""
    rows = [asdict(result) | {"seconds_per_ask": 0} for result in results]
    return json.dumps(rows, default=lambda array: array.tolist())


def test_the_seed_decides_whatever_the_number_of_processes() -> None:
    terms = Terms((10, 30))
    alone = simulate(SCENE, ["auto", "random"], terms, runs=6, seed=3)
    spread = simulate(SCENE, ["auto", "random"], terms, runs=6, seed=3, processes=2)
    assert told(alone) == told(spread)
    assert told(alone) != told(simulate(SCENE, ["auto", "random"], terms, runs=6, seed=4))


def test_a_selector_meets_the_same_worlds_whoever_else_takes_part() -> None:
    both = simulate(SCENE, ["random", "auto"], Terms((20,)), runs=5, seed=1)
    one = simulate(SCENE, ["auto"], Terms((20,)), runs=5, seed=1)
    assert told(both[1:]) == told(one)


def test_regret_of_recommending_is_that_of_the_recommended_arm() -> None:
    world = from_strengths(np.array([0.0, 8.0]))
    course = play(world, SELECTORS["random"], Terms((40,)), np.random.SeedSequence(1))
    assert course.found.tolist() == [1.0]
    assert course.simple_regret.tolist() == [0.0]


def test_weak_and_strong_regret_of_a_world_of_two_arms() -> None:
    world = from_matrix(np.array([[0.5, 0.8], [0.2, 0.5]]))
    course = play(world, SELECTORS["random"], Terms((10, 20)), np.random.SeedSequence(1))
    assert course.weak_regret.tolist() == [0.0, 0.0]  # the best arm is in every duel
    assert course.strong_regret == pytest.approx([10 * 0.15, 20 * 0.15])


def test_duels_in_flight_are_told_to_the_selector() -> None:
    seen = []

    class Spy:
        name = "spy"
        needs = frozenset()

        def ask(self, record, rng):
            seen.append((record.pending.sum() / 2, record.tally.total, record.asked))
            return SELECTORS["random"].ask(record, rng)

    play(from_strengths(np.arange(4.0)), Spy(), Terms((12,), in_flight=3), np.random.SeedSequence(1))
    assert seen[:4] == [(0, 0, 0), (1, 0, 1), (2, 0, 2), (2, 1, 3)]
    assert len(seen) == 12


def test_a_selector_with_a_budget_plays_each_checkpoint_for_itself() -> None:
    (joined,) = simulate(SCENE, ["sequential_halving"], Terms((10, 30)), runs=4, seed=1)
    (alone,) = simulate(SCENE, ["sequential_halving"], Terms((10,)), runs=4, seed=1)
    assert joined.votes == (10, 30)
    assert joined.simple_regret[0] == alone.simple_regret[0]


def test_a_stop_is_recorded_once_and_judged() -> None:
    world = from_strengths(np.array([0.0, 4.0, -4.0]))
    terms = Terms((60,), stop_at=0.9)
    course = play(world, SELECTORS["random"], terms, np.random.SeedSequence(2))
    assert course.stopped_at is not None
    assert 3 < course.stopped_at < 60
    assert course.stopped_right


def test_the_audit_share_is_drawn_uniformly() -> None:
    class Stubborn:
        name = "stubborn"
        needs = frozenset()

        def ask(self, record, rng):
            return SELECTORS["random"].ask(record, rng)._replace(first=0, second=1)

    world = from_matrix(np.full((3, 3), 0.5))
    all_audit = play(world, Stubborn(), Terms((30,), audit_share=1.0), np.random.SeedSequence(1))
    assert all_audit.asks == 30
    assert all_audit.ask_seconds == 0.0


@pytest.mark.parametrize("world", ["graded", "inputs", "ties", "biased", "raters"])
def test_worlds_with_more_than_wins_are_read_by_the_full_model(world: str) -> None:
    terms = Terms((80,), read_out=ReadOut.FULL)
    (result,) = simulate(Scene(world, Setting(arms=3, spread=2.0, votes=80)), ["auto"], terms, 6, seed=1)
    assert result.p_best_found[0] >= 0.5


def test_own_recommendations_are_asked_for() -> None:
    class Opinionated:
        name = "opinionated"
        needs = frozenset()

        def ask(self, record, rng):
            return SELECTORS["random"].ask(record, rng)

        def recommend(self, record):
            return 2

    world = from_strengths(np.array([0.0, 3.0, 1.0]))
    course = play(world, Opinionated(), Terms((5,), Recommend.OWN), np.random.SeedSequence(1))
    assert course.simple_regret[0] == 2.0


CALL = [
    "--world",
    "btl",
    "--arms",
    "4",
    "--spread",
    "1.0",
    "--selector",
    "auto",
    "--selector",
    "double_thompson",
]


def test_the_command_prints_json() -> None:
    call = [*CALL, "--votes", "5,10", "--runs", "3", "--seed", "1", "--processes", "1", "--json"]
    ran = CliRunner().invoke(command, call)
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    assert (document["world"], document["runs"]) == ("btl", 3)
    assert document["units"]["simple_regret"] == "logits of strength"
    assert [row["selector"] for row in document["results"]] == ["auto", "double_thompson"]
    for row in document["results"]:
        assert row["votes"] == [5, 10]
        for key in ("p_best_found", "simple_regret", "simple_regret_se", "weak_regret", "strong_regret"):
            assert len(row[key]) == 2
        assert row["seconds_per_ask"] > 0
        assert set(row["stopped"]) == {"rate", "correct", "median_votes"}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--selector", "nobody"], "There is no selector 'nobody'"),
        (["--selector", "instinct"], "needs numeric scores"),
        (["--selector", "apohf"], "needs embeddings"),
        (["--world", "matrix"], "needs --matrix FILE"),
        (["--world", "accuracies"], "needs --accuracies FILE"),
        (["--votes", "10,x"], "is not a list of whole numbers"),
        (["--votes", "0"], "start at 1"),
    ],
)
def test_faults_are_told_in_a_sentence(extra: list[str], said: str) -> None:
    ran = CliRunner().invoke(command, [*extra, "--runs", "1", "--processes", "1"])
    assert ran.exit_code != 0
    assert said in ran.output


def test_a_single_run_has_no_standard_error_and_its_json_is_json() -> None:
    ran = CliRunner().invoke(
        command, [*CALL, "--votes", "5", "--runs", "1", "--processes", "1", "--never-stop", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    assert "NaN" not in ran.stdout
    assert all(row["simple_regret_se"] == [None] for row in json.loads(ran.stdout)["results"])


@pytest.mark.parametrize(
    ("option", "word", "field"),
    [
        ("--recommend", "own", "recommend"),
        ("--recommend", "posterior", "recommend"),
        ("--read-out", "full", "read_out"),
    ],
)
def test_words_are_given_as_they_are_told(option: str, word: str, field: str) -> None:
    call = ["--arms", "3", "--votes", "3", "--runs", "1", "--processes", "1", "--never-stop", "--json"]
    ran = CliRunner().invoke(command, [*call, option, word])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)[option.strip("-").replace("-", "_")] == word


@pytest.mark.parametrize("option", ["--spread", "--stop-at", "--audit-share"])
def test_what_is_no_number_is_in_no_range(option: str) -> None:
    ran = CliRunner().invoke(command, [option, "nan", "--arms", "3", "--votes", "3", "--runs", "1"])
    assert ran.exit_code == 2
    assert option in ran.output
