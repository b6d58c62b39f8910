import numpy as np
import pytest

from optimizer.selectors.inputs import choose_input, in_turn, tag_load


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_fresh_inputs_come_first() -> None:
    assert {choose_input(np.array([1, 0, 2, 0]), rng(seed)) for seed in range(30)} == {1, 3}


def test_a_pair_meets_every_input_before_any_twice() -> None:
    met = np.zeros(6, dtype=np.int64)
    for turn in range(12):
        met[choose_input(met, rng(turn))] += 1
        assert met.max() - met.min() <= 1


def test_among_fresh_inputs_the_least_asked_one_is_chosen() -> None:
    assert choose_input(np.array([0, 0, 1]), rng(), asked=np.array([5, 3, 0])) == 1


def test_among_fresh_inputs_the_least_asked_tag_is_chosen() -> None:
    tags = [("easy",), ("easy",), ("hard",), ("easy",)]
    asked = np.array([0, 4, 1, 4])
    assert choose_input(np.zeros(4, dtype=np.int64), rng(), asked=asked, tags=tags) == 2


def test_a_study_stays_balanced_over_tags_of_unequal_size() -> None:
    tags = [("common",)] * 9 + [("rare",)] * 3
    asked = np.zeros(12, dtype=np.int64)
    for turn in range(48):
        asked[choose_input(np.zeros(12, dtype=np.int64), rng(turn), asked=asked, tags=tags)] += 1
    assert np.ptp(asked) <= 1


def test_the_same_rng_gives_the_same_input() -> None:
    met = np.zeros(20, dtype=np.int64)
    assert choose_input(met, rng(4)) == choose_input(met, rng(4))
    assert len({choose_input(met, rng(seed)) for seed in range(200)}) == 20


def test_the_load_of_several_tags_is_their_mean() -> None:
    load = tag_load([("a", "b"), ("a",), ()], np.array([2.0, 4.0, 7.0]))
    assert load == pytest.approx([2.5, 3.0, 7.0])


def test_inputs_take_turns_by_tag_then_by_input_and_only_then_by_what_outputs_cost() -> None:
    tags = [("easy",), ("easy",), ("hard",), ("hard",)]
    asked, lacking = np.array([3, 2, 0, 0]), np.array([0, 0, 2, 1])
    assert in_turn(asked, tags, lacking).tolist() == [3, 2, 1, 0]
