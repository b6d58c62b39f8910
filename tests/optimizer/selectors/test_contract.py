"""What every registered selector must keep to, on any record."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.errors import NothingToAsk
from optimizer.selectors import SELECTORS
from optimizer.selectors.base import Record
from optimizer.selectors.instinct import Instinct
from tests.optimizer.selectors.records import record_of, records

NEURAL = {"apohf", "apohf_tuned", "instinct"}  # they train a network at every ask


def examples(name: str) -> int:
    return 15 if name in NEURAL else 60


def frozen_copy(record: Record) -> dict[str, object]:
    copies: dict[str, object] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        value = value.counts if field.name == "tally" else value
        copies[field.name] = value.copy() if isinstance(value, np.ndarray) else value
    return copies


def check(name: str, record: Record, seed: int) -> None:
    selector = SELECTORS[name]
    before = frozen_copy(record)
    pair = selector.ask(record, np.random.default_rng(seed))
    assert type(pair.first) is int
    assert type(pair.second) is int
    assert pair.first != pair.second
    assert record.playable[pair.first, pair.second]
    assert pair.reason
    assert len(pair.reason) < 50
    others = np.triu(record.playable).sum() - 1
    if record.last is not None and others > 0:
        assert {pair.first, pair.second} != set(record.last)
    assert selector.ask(record, np.random.default_rng(seed)) == pair
    for field, value in frozen_copy(record).items():
        np.testing.assert_array_equal(value, before[field])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SELECTORS)
def test_asks_a_playable_pair_of_two_arms_reproducibly_and_changes_nothing(name: str) -> None:
    @settings(
        max_examples=examples(name),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(record=records(), seed=st.integers(0, 1000))
    def holds(record: Record, seed: int) -> None:
        check(name, record, seed)

    holds()


@pytest.mark.parametrize("name", sorted(name for name, selector in SELECTORS.items() if selector.needs))
def test_a_record_that_lacks_what_it_needs_is_refused_in_words(name: str) -> None:
    with pytest.raises(NothingToAsk, match="needs"):
        SELECTORS[name].ask(record_of(np.zeros((4, 4))), np.random.default_rng(0))


@pytest.mark.parametrize("name", sorted(set(SELECTORS) - NEURAL))
def test_is_level_headed_after_a_hundred_thousand_votes(name: str) -> None:
    rng = np.random.default_rng(3)
    history = np.column_stack([np.argsort(rng.random((50, 6)), 1)[:, :2], rng.integers(0, 2, 50)])
    wins = rng.integers(0, 10_000, (6, 6)) * (1.0 - np.eye(6))
    record = record_of(
        wins, budget=100, history=history.astype(float), features=np.linalg.qr(rng.normal(size=(6, 6)))[0]
    )
    check(name, record, 0)


@pytest.mark.parametrize("name", ["eubo", "knowledge_gradient", "round_robin", "maxinp"])
def test_duels_in_flight_send_the_next_rater_elsewhere(name: str) -> None:
    """Four arms alike, forty pending duels on every pair but one: that one is asked."""
    pending = 40 * (1 - np.eye(4, dtype=np.int64))
    pending[2, 3] = pending[3, 2] = 0
    record = record_of(1.0 - np.eye(4), pending=pending)
    for seed in range(5):
        pair = SELECTORS[name].ask(record, np.random.default_rng(seed))
        assert {pair.first, pair.second} == {2, 3}


@settings(max_examples=6, deadline=None, derandomize=True)
@given(record=records(), seed=st.integers(0, 1000))
def test_instinct_names_one_arm(record: Record, seed: int) -> None:
    arm = Instinct().ask_arm(record, np.random.default_rng(seed))
    assert 0 <= arm < record.k
    assert Instinct().ask_arm(record, np.random.default_rng(seed)) == arm
