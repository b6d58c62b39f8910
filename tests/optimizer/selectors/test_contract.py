"""What every registered selector must keep to, on any record."""

from collections import Counter
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


BY_CHANCE = {"random", "sparring"}  # each draw by itself: a duel in flight tells them nothing
NOT_LESS = {*BY_CHANCE, "von_neumann"}  # a pair that is level may well belong to the mixture


def repeated(name: str, ordered: bool, in_flight: frozenset[int] = frozenset(), times: int = 0) -> Counter:
    """How often each pair of five arms is asked; they are level, or each beat the next ones 2 to 1."""
    wins = np.triu(np.ones((5, 5)), 1) * (1 + ordered) + np.tril(np.ones((5, 5)), -1)
    features = np.random.default_rng(4).normal(size=(5, 8))
    pending = np.zeros((5, 5), dtype=np.int64)
    for arm in in_flight:
        pending[arm, list(in_flight - {arm})] = times
    record = record_of(
        wins,
        pending=pending,
        budget=1000,
        features=features / np.linalg.norm(features, axis=1)[:, None],
        history=np.array([(i, j, 1.0) for i, j in np.argwhere(wins)]),
        scores=np.column_stack([np.repeat(np.arange(5), 2), np.full(10, 0.5)]),
    )
    rng = np.random.default_rng(1)
    asked = 1 if name in NEURAL else 300
    return Counter(frozenset(SELECTORS[name].ask(record, rng)[:2]) for _ in range(asked))


@pytest.mark.parametrize("name", sorted(set(SELECTORS) - NOT_LESS))
def test_a_pair_with_many_duels_in_flight_is_asked_less_often(name: str) -> None:
    """The pair asked most, before and after, with the same random numbers. Of level arms ``top_two`` can tell
    none apart however many votes there are, and the tuned network's opinions outweigh its doubts."""
    ordered = name in ("top_two", "apohf_tuned")
    before = repeated(name, ordered)
    pair, often = before.most_common(1)[0]
    assert repeated(name, ordered, pair, 60)[pair] < 0.75 * often


def test_the_von_neumann_rule_takes_duels_in_flight_for_half_wins() -> None:
    """Arm 0 beat arm 1 twice as often: half wins make the two level, so that both are in the mixture."""
    pair = frozenset((0, 1))
    assert repeated("von_neumann", True, pair, 60)[pair] > repeated("von_neumann", True)[pair]


@pytest.mark.parametrize("name", sorted(BY_CHANCE))
def test_rules_that_draw_by_chance_alone_take_no_notice_of_duels_in_flight(name: str) -> None:
    assert repeated(name, True) == repeated(name, True, frozenset((0, 1)), 60)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(record=records(), seed=st.integers(0, 1000))
def test_instinct_names_one_arm(record: Record, seed: int) -> None:
    arm = Instinct().ask_arm(record, np.random.default_rng(seed))
    assert 0 <= arm < record.k
    assert Instinct().ask_arm(record, np.random.default_rng(seed)) == arm
