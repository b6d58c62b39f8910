"""Sharing duels out: so many raters each, never the same one twice, evenly, and nobody waits."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.domain import Duel, DuelId, InputId, Outcome, OutputId, PromptId, RaterId, new_id
from optimizer.sessions.overlap import choose_shared
from optimizer.storage.asking import Turn, is_shared
from tests.optimizer.session_world import STUDY, World

START = datetime.fromisoformat("2026-01-01T12:00:00+00:00")
LEASE = timedelta(minutes=10)


def turn_of(duel: Duel, now: datetime) -> Turn:
    held = duel.expires_at > (duel.closed_at or now)
    return Turn(duel.id, duel.repeats, duel.rater, duel.input, duel.first_prompt, duel.second_prompt, held)


class Floor:
    """Raters who ask, answer, or walk away, on the shared duels alone."""

    def __init__(self, overlap: int, share: float) -> None:
        self.overlap, self.share = overlap, share
        self.now = START
        self.duels: list[Duel] = []

    def step(self, rater: RaterId, leaves: bool) -> Duel:
        """One rater asks; they answer at once, or walk away with the duel in hand."""
        self.now += timedelta(seconds=20)
        for at, duel in enumerate(self.duels):
            if duel.closed_at is None and duel.expires_at <= self.now:
                self.duels[at] = replace(duel, closed_at=self.now)
        turns = [turn_of(duel, self.now) for duel in self.duels[::-1]]
        shared = choose_shared(turns, rater, self.overlap, self.share)
        fresh = sha256(str(len(self.duels)).encode()).hexdigest()[:16]
        duel = Duel(
            DuelId(fresh) if shared is None else shared.next_id,
            STUDY,
            InputId("x"),
            OutputId("a"),
            OutputId("b"),
            PromptId("p"),
            PromptId("q"),
            rater,
            "random",
            "drawn",
            False,
            self.now,
            self.now + LEASE,
            repeats=None if shared is None else shared.duel,
            closed_at=None if leaves else self.now + timedelta(seconds=5),
        )
        self.duels.append(duel)
        return duel

    def groups(self) -> dict[DuelId, list[Duel]]:
        """Everything asked of each shared duel, the first time it was asked included."""
        found = {d.id: [d] for d in self.duels if d.repeats is None and is_shared(d.id, self.share)}
        for duel in self.duels:
            if duel.repeats is not None:
                found[duel.repeats].append(duel)
        return found


STEPS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=80)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(2, 4), st.sampled_from([0.3, 1.0]))
def test_nobody_sees_a_duel_twice_and_no_duel_has_too_many_raters(
    steps: list[tuple[int, bool]], overlap: int, share: float
) -> None:
    floor = Floor(overlap, share)
    for who, leaves in steps:
        floor.step(RaterId(f"r{who}"), leaves)
    assert len({duel.id for duel in floor.duels}) == len(floor.duels)
    for asked in floor.groups().values():
        assert len({duel.rater for duel in asked}) == len(asked)
        for duel in asked:  # at the time when each was put to somebody
            held = [
                other
                for other in asked
                if other.asked_at <= duel.asked_at
                and other.expires_at > (other.closed_at or duel.asked_at)
                and (other.closed_at is not None or other.expires_at > duel.asked_at)
            ]
            assert len(held) <= overlap
    fresh = [duel for duel in floor.duels if duel.repeats is None]
    assert all(duel.repeats is None or duel.repeats in {d.id for d in fresh} for duel in floor.duels)


@pytest.mark.parametrize("overlap", [2, 3, 4])
@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_every_shared_duel_gets_its_raters_and_all_pairs_of_raters_meet_alike(
    overlap: int, seed: int | None
) -> None:
    """Also where they always ask in the same order, so that the same one always comes next."""
    floor = Floor(overlap, 0.5)
    raters = [RaterId(f"r{n}") for n in range(5)]
    for turn in range(30):
        order = raters if seed is None else np.random.default_rng([seed, turn]).permutation(raters)
        for rater in order:
            floor.step(RaterId(str(rater)), leaves=False)
    groups = list(floor.groups().values())
    lacking = [asked for asked in groups if len(asked) < overlap]
    assert len(lacking) <= 2 * len(raters)
    met = Counter(
        frozenset(pair) for asked in groups for pair in combinations({duel.rater for duel in asked}, 2)
    )
    counts = [met[frozenset(pair)] for pair in combinations(raters, 2)]
    assert min(counts) >= max(counts) / 4


def test_who_has_gone_home_holds_nobody_up() -> None:
    """Nine raters looked in; two go on, and their shared duels still get both of them."""
    floor = Floor(2, 1.0)
    for who in range(9):
        floor.step(RaterId(f"r{who}"), leaves=False)
    for _ in range(60):
        for who in (0, 1):
            floor.step(RaterId(f"r{who}"), leaves=False)
    assert sum(len(asked) < 2 for asked in floor.groups().values()) <= 2 * 9


def test_the_share_is_kept() -> None:
    shared = sum(is_shared(DuelId(new_id()), 0.3) for _ in range(2000))
    assert 0.25 < shared / 2000 < 0.35  # 5 standard deviations
    assert not is_shared(DuelId("a"), 0.0)
    assert is_shared(DuelId("f" * 16), 1.0)


def test_an_abandoned_turn_goes_to_somebody_else() -> None:
    floor = Floor(2, 1.0)
    first = floor.step(RaterId("ann"), leaves=False)
    assert floor.step(RaterId("bob"), leaves=True).repeats == first.id
    assert floor.step(RaterId("cid"), leaves=False).repeats is None  # bob has it
    floor.now += LEASE
    again = floor.step(RaterId("dan"), leaves=False)
    assert again.repeats == first.id
    floor.step(RaterId("eve"), leaves=False)
    assert len(floor.groups()[first.id]) == 3


def test_the_workshop_puts_a_shared_duel_to_another_rater_and_counts_both() -> None:
    world = World()
    session = world.open(overlap=2, overlap_share=1.0)
    ann, bob, cid = world.join(session, "Ann", "Bob", "Cid")
    first = world.workshop.next_duel(STUDY, ann).duel
    second = world.workshop.next_duel(STUDY, bob).duel  # at once: nobody waits for Ann's answer
    assert second.repeats == first.id
    assert {second.first, second.second} == {first.first, first.second}
    assert second.input == first.input
    third = world.workshop.next_duel(STUDY, cid).duel
    assert third.repeats is None
    world.workshop.record_vote(first.id, ann, Outcome.FIRST)
    world.workshop.record_vote(second.id, bob, Outcome.FIRST)
    assert world.results.standings(world.store.study(STUDY)).votes == 2


def test_a_shared_duel_is_announced_to_nobody_and_put_to_whoever_asks_first() -> None:
    """Announced to all who lack it, it would be taken from under the eyes of all but one."""
    world = World()
    session = world.open(overlap=2, overlap_share=1.0)
    ann, bob = world.join(session, "Ann", "Bob")
    of_bob = world.workshop.next_duel(STUDY, bob).duel
    of_ann = world.workshop.next_duel(STUDY, ann)
    assert of_ann.duel.repeats == of_bob.id
    assert world.workshop.announce(of_ann) is not None
    world.workshop.record_vote(of_bob.id, bob, Outcome.FIRST)
    fresh = world.workshop.next_duel(STUDY, bob).duel
    assert world.workshop.announce(world.workshop.next_duel(STUDY, ann)) is None
    world.workshop.record_vote(of_ann.duel.id, ann, Outcome.FIRST)
    assert world.workshop.next_duel(STUDY, ann).duel.repeats == fresh.id


def test_a_race_for_the_same_turn_has_one_winner() -> None:
    """Two processes that share out at once want the same id; the store lets one have it."""
    world = World()
    session = world.open(overlap=3, overlap_share=1.0)
    ann, bob, cid = world.join(session, "Ann", "Bob", "Cid")
    world.workshop.next_duel(STUDY, ann)
    newest = world.store.asking.desk(STUDY, bob, world.clock(), session.crowd).turns
    wanted = [choose_shared(newest, who, 3, 1.0) for who in (bob, cid)]
    assert wanted[0] is not None
    assert wanted[1] is not None
    assert wanted[0].next_id == wanted[1].next_id
    duels = [world.workshop.next_duel(STUDY, who).duel for who in (bob, cid)]
    assert duels[0].id == wanted[0].next_id != duels[1].id
    assert duels[0].repeats == duels[1].repeats


def test_a_duel_that_cannot_be_shown_any_more_holds_no_other_up() -> None:
    """A prompt is retired while its shared duel lacks a rater; the next shared one is put to others."""
    world = World()
    session = world.open(overlap=2, overlap_share=1.0)
    ann, bob, cid = world.join(session, "Ann", "Bob", "Cid")
    gone = world.workshop.next_duel(STUDY, ann).duel
    world.workshop.record_vote(gone.id, ann, Outcome.FIRST)
    (retired,) = (prompt for prompt in world.store.prompts(STUDY) if prompt.id == gone.first_prompt)
    world.store.replace(replace(retired, retired_at=world.clock()))
    fresh = world.workshop.next_duel(STUDY, bob).duel
    assert fresh.repeats is None
    assert world.workshop.next_duel(STUDY, cid).duel.repeats == fresh.id
