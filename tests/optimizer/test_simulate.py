import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from optimizer.errors import BadInput, NotFitted
from optimizer.selectors import SELECTORS
from optimizer.simulate import Result, Scene, passes, simulate
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


def test_a_selector_that_is_named_twice_plays_once() -> None:
    terms = Terms((5, 20))
    for name in ("random", "sequential_halving"):
        ticks: list[int] = []
        once = simulate(SCENE, [name], terms, runs=4, seed=1)
        twice = simulate(SCENE, [name, name], terms, runs=4, seed=1, tick=ticks.append)
        assert twice[0].simple_regret_se.tolist() == once[0].simple_regret_se.tolist()
        assert once[0].simple_regret_se.max() > 0.0
        assert told(twice) == told(once)
        assert sum(ticks) == 4 * passes([name, name], terms)
    results = simulate(SCENE, ["random", "auto", "random"], Terms((3,)), runs=1, seed=1)
    assert [result.selector for result in results] == ["random", "auto"]


@pytest.mark.parametrize("accuracies", [[0.5, 0.5, 0.5], [0.5], [0.5, np.nan]])
def test_accuracies_in_which_nothing_can_be_found_make_no_scene(accuracies: list[float]) -> None:
    with pytest.raises(BadInput, match="nothing can be found"):
        Scene("accuracies", Setting(arms=2), accuracies=np.array(accuracies))


def test_accuracies_are_drawn_until_two_of_them_differ() -> None:
    scene = Scene("accuracies", Setting(arms=2), accuracies=np.array([0.5] * 9 + [0.6]))
    for seed in range(5):
        assert sorted(scene.draw(np.random.default_rng(seed)).regret) == pytest.approx([0.0, 2.0])


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
        (["--votes", "5,1000001"], "end at 1,000,000"),
        (["--votes", "99999999999999999999"], "end at 1,000,000"),
        (["--arms", "2001"], "2<=x<=2000"),
        (["--runs", "100001"], "1<=x<=100000"),
        (["--spread", "100.5"], "0<x<=100"),
        (["--world", "drift", "--arms", "51", "--votes", "1000000"], "at most 50,000,000"),
        (["--matrix", "f"], "'btl' does not read --matrix: leave it out or choose --world matrix"),
        (
            ["--accuracies", "f"],
            "'btl' does not read --accuracies: leave it out or choose --world accuracies",
        ),
        (["--world", "matrix", "--matrix", "f", "--task", ""], "'matrix' does not read --task"),
        (["--world", "accuracies", "--accuracies", "f", "--matrix", "f"], "does not read --matrix"),
        (["--world", "cyclic", "--model", "m"], "'cyclic' does not read --model"),
    ],
)
def test_faults_are_told_in_a_sentence(extra: list[str], said: str) -> None:
    ran = CliRunner().invoke(command, ["--runs", "1", "--processes", "1", *extra])
    assert ran.exit_code in (1, 2)
    assert said in " ".join(ran.stderr.split())
    assert ran.stdout == ""


def read_from(folder: Path, accuracy: str) -> list[str]:
    """The options of a world of these accuracies, whose raters judge single examples."""
    path = folder / "a.json"
    path.write_text(f'[{{"task": "t", "models": ["m"], "prompts": ["a", "b"], "accuracy": {accuracy}}}]')
    call = ["--world", "accuracies", "--accuracies", str(path), "--task", "t", "--model", "m"]
    return [*call, "--vote-noise", "soft", "--votes", "5", "--runs", "2", "--processes", "1"]


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [("[[0.2], [null]]", "row 2 of 't' with 'm' is null"), ("[[0], [50]]", "row 2 of 't' with 'm' is 50")],
)
def test_faults_of_a_file_are_told_in_a_sentence(tmp_path: Path, accuracy: str, said: str) -> None:
    ran = CliRunner().invoke(command, read_from(tmp_path, accuracy))
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == f"Error: {tmp_path / 'a.json'}: {said}, but accuracies are shares from 0 to 1.\n"


def test_accuracies_of_a_file_are_played_from_none_to_all(tmp_path: Path) -> None:
    ran = CliRunner().invoke(command, [*read_from(tmp_path, "[[0], [1]]"), "--json"])
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    assert (document["arms"], document["results"][0]["p_best_found"]) == (2, [1.0])


def test_a_fault_during_play_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unable:
        name = "unable"
        needs = frozenset()

        def ask(self, record, rng):
            raise NotFitted("It did not converge.")

    monkeypatch.setitem(SELECTORS, "random", Unable())
    call = ["--selector", "random", "--arms", "3", "--votes", "3", "--runs", "1", "--processes", "1"]
    ran = CliRunner().invoke(command, call)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "Error: It did not converge.\n" in ran.stderr


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
