"""The lab: it simulates what it says, tells how many votes it takes, and can be given up."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from optimizer.domain import Outcome, StudyId
from optimizer.errors import BadInput, Conflict
from optimizer.lab import Lab, State
from optimizer.lab.aside import GivenUp, aside, here
from optimizer.lab.situation import (
    SIMULABLE,
    Situation,
    chance_of_better,
    situation_of,
    votes_needed,
)
from optimizer.simulate import Result
from tests.optimizer.reports.report_world import FIRST, SECOND, World

SMALL = Situation(4, votes=24, runs=4, inputs=3, selectors=("random",), seed=3)
LONG_S = 60.0


def result(found: list[float]) -> Result:
    curve = np.array(found)
    votes = tuple(10 * (n + 1) for n in range(len(found)))
    return Result("auto", votes, curve, curve, curve, curve, curve, 0.0, None)


def test_both_ways_of_simulating_agree_and_the_same_seed_repeats() -> None:
    ticks: list[int] = []
    (far,) = aside(SMALL, ticks.append, Event())
    (near,) = here(SMALL, lambda more: None, Event())
    assert far.votes == near.votes == SMALL.terms.votes
    for curve in ("p_best_found", "simple_regret", "weak_regret", "strong_regret"):
        assert getattr(far, curve) == pytest.approx(getattr(near, curve))
    assert sum(ticks) == 4


def test_a_study_without_votes_is_simulated_as_usual() -> None:
    world = World(prompts=("A", "B", "C", "D"), inputs=7)
    known = situation_of(world.study, world.store, world.results)
    assert (known.arms, known.inputs, known.selectors) == (4, 7, ("auto", "random"))
    assert known.spread == Situation(2).spread


def test_a_study_with_votes_lends_its_own_numbers() -> None:
    world = World().usual()
    world.vote("Best", "Middle", Outcome.BOTH_GOOD, 20)
    known = situation_of(world.study, world.store, world.results)
    standings = world.results.standings(world.study)
    assert known.spread == pytest.approx(np.std([row.strength for row in standings.rows]), abs=0.051)
    assert known.ties == pytest.approx(20 / standings.votes, abs=0.02)
    flat = World()
    flat.vote("Best", "Middle", FIRST, 20)
    flat.vote("Best", "Middle", SECOND, 20)
    assert situation_of(flat.study, flat.store, flat.results).spread < known.spread


def test_the_votes_needed_are_read_off_the_curve() -> None:
    assert votes_needed(result([0.2, 0.6, 1.0]), 0.8) == pytest.approx(25)
    assert votes_needed(result([0.9, 0.95]), 0.8) == 10
    assert votes_needed(result([0.9, 0.7, 0.85]), 0.8) == pytest.approx(20 + 10 * 2 / 3)
    assert votes_needed(result([0.2, 0.6]), 0.8) is None


def test_prompts_that_differ_more_are_told_apart_more_often() -> None:
    chances = [chance_of_better(spread) for spread in (0.1, 1.0, 3.0)]
    assert 0.5 < chances[0] < chances[1] < chances[2] < 1.0


@pytest.mark.parametrize(
    "wrong",
    [{"arms": 1}, {"arms": 1000}, {"votes": 3}, {"runs": 0}, {"selectors": ()}, {"selectors": ("?",)}],
)
def test_what_cannot_be_simulated_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replace(SMALL, **wrong).check()  # type: ignore[arg-type]


def test_selectors_that_need_texts_are_not_offered() -> None:
    assert {"auto", "random", "sequential_halving"} <= set(SIMULABLE)
    assert not {"gaussian_process", "instinct"} & set(SIMULABLE)


def lab_of(simulator: Callable[..., list[Result]]) -> Lab:
    world = World()
    return Lab(world.store, world.results, simulator)


def test_an_experiment_counts_its_runs_and_keeps_its_results() -> None:
    lab = lab_of(here)
    experiment = lab.start(StudyId("s"), SMALL)
    assert experiment.ended.wait(LONG_S)
    assert (experiment.state, experiment.done, experiment.total) == (State.DONE, 4, 4)
    assert experiment.results[0].selector == "random"
    assert lab.experiments(StudyId("s")) == [experiment]
    assert lab.experiments(StudyId("other")) == []


def test_one_at_a_time_and_given_up_on_request() -> None:
    began = Event()

    def endless(situation: Situation, tick: Callable[[int], None], given_up: Event) -> list[Result]:
        began.set()
        assert given_up.wait(LONG_S)
        raise GivenUp

    lab = lab_of(endless)
    experiment = lab.start(StudyId("s"), SMALL)
    assert began.wait(LONG_S)
    with pytest.raises(Conflict, match="running already"):
        lab.start(StudyId("s"), SMALL)
    lab.close()
    assert experiment.ended.wait(LONG_S)
    assert experiment.state is State.CANCELLED


def test_a_simulation_in_its_own_process_ends_when_it_is_given_up() -> None:
    given_up = Event()
    long = replace(SMALL, votes=100, runs=500, selectors=("auto",))
    with pytest.raises(GivenUp):
        aside(long, lambda more: given_up.set(), given_up)
