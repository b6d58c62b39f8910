"""Two stores, told the same random story, say the same; and their counts are a recount of the votes."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from optimizer.domain import ANSWERS, Batch, Duel, StudyId, Vote
from optimizer.errors import PromptDuelError
from optimizer.storage import open_store
from optimizer.storage.asking import Crowd, Desk
from optimizer.storage.base import Store
from optimizer.storage.memory import MemoryStore
from optimizer.storage.sqlite import SqliteStore
from tests.optimizer.storage.world import NOW, duel_of, vote_on, world
from tests.postgresql import PostgresServer

STUDIES = ("s", "t")
prompts = st.integers(0, 2)
inputs = st.integers(0, 1)
raters = st.integers(0, 2)
studies = st.sampled_from(STUDIES)
answers = st.sampled_from(ANSWERS)
minutes = st.integers(0, 150).map(lambda m: NOW + timedelta(minutes=m))
places = st.integers(0, 10_000)


def everything(store: Store, study: StudyId) -> tuple[object, ...]:
    """All that a store says of a study, but for versions, which need only grow."""
    one, _, other, *_ = (prompt.id for prompt in store.prompts(study))
    return (
        store.prompts(study),
        store.raters(study),
        store.ballots(study),
        store.answered(study),
        store.last_duels(study, limit=999),
        store.duels_by_input(study, one, other),
        store.counters(study).duels,
        store.counters(study).votes,
        store.pair_counts(study),
        store.cell_counts(study),
    )


def in_a_file(folder: Path) -> Store:
    return SqliteStore(folder / "duels.db")


class TwoStores(RuleBasedStateMachine):
    def __init__(
        self, durable: Callable[[Path], Store] = lambda folder: SqliteStore(folder / "duels.db")
    ) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.stores: tuple[Store, Store] = (MemoryStore(), durable(self.folder))
        self.duels: list[Duel] = []
        self.votes: list[Vote] = []
        for name in STUDIES:
            self.both(lambda store, name=name: store.add(world(name)))

    def teardown(self) -> None:
        for store in self.stores:
            assert store.check() == []
            store.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[Store], object]) -> object:
        """Do the same to both; they return the same, or refuse for the same reason in the same kind."""
        said = []
        for store in self.stores:
            try:
                said.append(call(store))
            except PromptDuelError as error:
                said.append(type(error))
        assert said[0] == said[1]
        return said[0]

    @rule(study=studies, first=prompts, second=prompts, input=inputs, rater=raters, replay=st.booleans())
    def ask(self, study: str, first: int, second: int, input: int, rater: int, replay: bool) -> None:
        duel = duel_of(first, second, input, rater, study, replay=replay)
        if self.both(lambda store: store.add(Batch(duels=[duel]))) is None:
            self.duels.append(duel)

    @precondition(lambda self: self.duels)
    @rule(place=places, answer=answers, at=minutes, by=raters | st.none())
    def cast(self, place: int, answer: tuple, at: datetime, by: int | None) -> None:
        duel = self.duels[place % len(self.duels)]
        rater = duel.rater if by is None else f"{duel.study}-r{by}"
        vote = vote_on(duel, *answer, at=at, rater=rater)
        if self.both(lambda store: store.add_vote(vote)) is None:
            self.votes.append(vote)

    @rule(study=studies, answers=st.lists(answers, min_size=1, max_size=6), rater=raters, twice=st.booleans())
    def bring_history(self, study: str, answers: list, rater: int, twice: bool) -> None:
        duels = [duel_of(n % 2, 2, n % 2, rater, study) for n in range(len(answers))]
        votes = [vote_on(duel, *answer) for duel, answer in zip(duels, answers, strict=True)]
        votes.append(vote_on(duels[0], withdrawn_at=None if twice else NOW))
        if self.both(lambda store: store.add(Batch(duels=duels, votes=votes))) is None:
            self.duels += duels
            self.votes += votes

    @precondition(lambda self: self.votes)
    @rule(place=places, at=minutes, reopen=st.none() | minutes)
    def withdraw(self, place: int, at: datetime, reopen: datetime | None) -> None:
        vote = self.votes[place % len(self.votes)]
        self.both(lambda store: store.withdraw_vote(vote.id, at, reopen))

    @precondition(lambda self: self.votes)
    @rule(place=places, at=minutes)
    def restore(self, place: int, at: datetime) -> None:
        vote = self.votes[place % len(self.votes)]
        self.both(lambda store: store.restore_vote(vote.id, at))

    @precondition(lambda self: self.votes)
    @rule(place=places, comment=st.text(st.characters()), at=minutes)
    def note(self, place: int, comment: str, at: datetime) -> None:
        vote = self.votes[place % len(self.votes)]
        self.both(lambda store: store.note_vote(vote.id, (comment,), (), comment, at))

    @rule(study=studies, rater=raters, at=st.none() | minutes)
    def set_aside(self, study: str, rater: int, at: datetime | None) -> None:
        noun = replace(world(study).raters[rater], set_aside_at=at)
        self.both(lambda store: store.replace(noun))

    @rule(study=studies, prompt=prompts, at=st.none() | minutes)
    def retire(self, study: str, prompt: int, at: datetime | None) -> None:
        noun = replace(world(study).prompts[prompt], retired_at=at)
        self.both(lambda store: store.replace(noun))

    @precondition(lambda self: self.duels)
    @rule(place=places, until=minutes)
    def renew(self, place: int, until: datetime) -> None:
        duel = self.duels[place % len(self.duels)]
        self.both(lambda store: store.renew_duel(duel.id, until))

    @rule(now=minutes)
    def release(self, now: datetime) -> None:
        self.both(lambda store: store.release_expired(now))

    @rule(study=studies, rater=raters, now=minutes, limit=st.integers(0, 3), offset=st.integers(0, 3))
    def look(self, study: str, rater: int, now: datetime, limit: int, offset: int) -> None:
        id, by = StudyId(study), world(study).raters[rater].id
        crowd = (None, Crowd(f"{study}-r", 0.5), Crowd(f"{study}-r", 1.0, counted=True))[limit % 3]
        self.both(lambda store: store.open_duel(id, by, now))
        self.both(lambda store: without_recent(store.asking.begin(id, by, now, crowd)))
        self.both(lambda store: without_recent(store.asking.desk(id, None, now, crowd)))
        self.both(lambda store: store.pending(id, now))
        self.both(lambda store: store.last_vote(id, by))
        self.both(lambda store: store.last_duels(id, by, limit))
        self.both(lambda store: store.ballots(id, by, limit=limit, offset=offset))

    @invariant()
    def say_the_same(self) -> None:
        for name in STUDIES:
            self.both(partial(everything, study=StudyId(name)))

    @invariant()
    def counts_are_a_recount(self) -> None:
        store = self.stores[1]
        for name in STUDIES:
            id = StudyId(name)
            raters = {rater.id: rater for rater in store.raters(id)}
            pairs: Counter = Counter()
            cells: Counter = Counter()
            for ballot in store.ballots(id):
                vote, duel, rater = ballot.vote, ballot.duel, raters[ballot.vote.rater]
                if vote.withdrawn_at or duel.replay or rater.set_aside_at:
                    continue
                pairs[rater.kind, duel.first_prompt, duel.second_prompt, vote.answer] += 1
                cells[rater.kind, duel.input, duel.first_prompt, duel.second_prompt, vote.answer] += 1
            assert pairs == Counter(
                {
                    (c.kind, c.first, c.second, a): n
                    for c in store.pair_counts(id)
                    for a, n in enumerate(c.answers)
                }
            )
            assert cells == Counter(
                {
                    (c.kind, c.input, c.first, c.second, a): n
                    for c in store.cell_counts(id)
                    for a, n in enumerate(c.answers)
                }
            )


def without_recent(seat: Duel | Desk) -> object:
    """What was read, as values: pairs in order, and the recent duels themselves."""
    if isinstance(seat, Duel):
        return seat
    fixed = replace(seat, pending=sorted(seat.pending), recent=None)
    return replace(fixed, counters=replace(seat.counters, content_version=0, vote_version=0)), seat.recent()


def test_postgres_agrees(postgres: PostgresServer) -> None:
    run_state_machine_as_test(
        lambda: TwoStores(lambda _: open_store(postgres.empty_database())),
        settings=settings(max_examples=5, stateful_step_count=25, deadline=None),
    )


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
