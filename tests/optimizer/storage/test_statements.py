"""How many statements the server is sent, by its own log, for an ask and for a vote.

Counted is every statement of the process, BEGIN and COMMIT included, from the call of the service to its
return, in a study whose content the process has read before.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from optimizer.domain import Batch, JudgeVotes, Outcome, Rater, RaterId, RaterKind, Settings, StudyId
from optimizer.errors import SessionClosed
from optimizer.pairing import Pairing
from optimizer.sessions import Session, Sessions
from optimizer.sessions.admission import Admission
from optimizer.sessions.nouns import Goal, SessionId
from optimizer.storage import open_store
from optimizer.workshop import Workshop
from tests.optimizer.storage.world import duel_of, study_of, vote_on, world
from tests.postgresql import PostgresServer

S = StudyId("s")
LOGGED = "?options=-c%20log_statement%3Dall%20-c%20log_min_messages%3Dlog"
MOST = 3

Counting = Callable[[Callable[[], object]], int]


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    return postgres.empty_database()


@pytest.fixture
def counting(postgres: PostgresServer, address: str) -> Iterator[tuple[Workshop, Counting]]:
    store = open_store(address + LOGGED)
    store.add(world(prompts=5, inputs=6))
    settings = Settings(selector="auto", judge_votes=JudgeVotes.BESIDE, audit_share=0.2, replay_share=0.3)
    store.replace(replace(study_of(), settings=settings))
    workshop = Workshop(store, Pairing(store))

    def count(work: Callable[[], object]) -> int:
        before = len(postgres.log())
        work()
        return len(sent(postgres.log()[before:]))

    yield workshop, count
    store.close()


def sent(log: str) -> list[str]:
    return [line for line in log.splitlines() if "LOG:  statement:" in line or "LOG:  execute " in line]


def test_an_ask_and_a_vote_are_few_statements_however_many_votes(
    counting: tuple[Workshop, Counting], postgres: PostgresServer
) -> None:
    workshop, count = counting
    workshop.next_duel(S, RaterId("s-r1"))  # reads the content
    asks, again, votes, kinds = [], [], [], set()
    rng = np.random.default_rng(3)
    rater = RaterId("s-r0")
    for _ in range(40):
        asks.append(count(lambda: workshop.next_duel(S, rater)))
        again.append(count(lambda: workshop.next_duel(S, rater)))
        duel = workshop.next_duel(S, rater).duel
        kinds.add(duel.selector)
        outcome = (Outcome.FIRST, Outcome.SECOND, Outcome.BOTH_BAD)[rng.integers(3)]
        votes.append(count(lambda id=duel.id, said=outcome: workshop.record_vote(id, rater, said)))
    assert kinds == {"auto", "audit", "replay"}
    assert set(asks) == {2, MOST}  # a replay needs no input to be chosen
    assert set(again) == {2}
    assert set(votes) == {2}


def test_a_session_that_another_replica_closed_takes_no_vote_from_that_moment(
    counting: tuple[Workshop, Counting], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though this replica has just read it as open, for the ask: what is read to draw a screen may be old."""
    workshop, count = counting
    monkeypatch.setattr("optimizer.storage.postgres_documents.monotonic", lambda: 100.0)
    there = open_store(address)
    sessions = Sessions(there)
    session = sessions.open(Session(SessionId(""), S, "On two replicas"))
    rater = sessions.join(session.id, "ann", "Ann").rater
    duel = workshop.next_duel(S, rater).duel
    assert count(lambda: workshop.record_vote(duel.id, rater, Outcome.FIRST)) == MOST
    duel = workshop.next_duel(S, rater).duel
    sessions.close(session.id)
    assert workshop.next_duel(S, rater).duel == duel  # believed to be open still
    with pytest.raises(SessionClosed):
        workshop.record_vote(duel.id, rater, Outcome.FIRST)
    with pytest.raises(SessionClosed):
        workshop.undo(S, rater)
    assert there.counters(S).votes == 1
    there.close()


@pytest.mark.parametrize("goal", [{}, {"goal": Goal.VOTES, "goal_votes": 100}, {"goal": Goal.ADVICE}])
def test_an_ask_in_a_session_is_as_few_whatever_it_shares_and_aims_at(
    counting: tuple[Workshop, Counting],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    goal: dict[str, object],
) -> None:
    _, count = counting
    monkeypatch.setattr("optimizer.storage.postgres_documents.monotonic", lambda: 100.0)
    there = open_store(address + LOGGED)
    advised = Admission(there, lambda study, counters: counters.votes > 1000)
    workshop = Workshop(there, Pairing(there), admission=advised)
    sessions = Sessions(there)
    terms = Session(SessionId(""), S, "Shared", overlap=3, overlap_share=0.7, **goal)  # type: ignore[arg-type]
    session = sessions.open(terms)
    raters = [sessions.join(session.id, name, name).rater for name in ("ann", "bob", "cid")]
    workshop.next_duel(S, raters[0])  # reads the content
    asks, repeated = [], 0
    for turn in range(36):
        rater = raters[turn % 3]
        cost = count(lambda rater=rater: workshop.next_duel(S, rater))
        duel = workshop.next_duel(S, rater).duel
        repeated += duel.repeats is not None
        workshop.record_vote(duel.id, rater, Outcome.FIRST)
        if turn >= 3:
            asks.append(cost)
    assert repeated > 5
    assert set(asks) <= {2, MOST}  # 2: a replay, which needs no input to be chosen
    there.close()


def test_the_log_counts_what_is_sent(counting: tuple[Workshop, Counting], postgres: PostgresServer) -> None:
    """The measure itself: a batch of two duels is many statements, and the log says so."""
    _, count = counting
    store = open_store(postgres.empty_database() + LOGGED)
    store.add(world())
    assert count(lambda: store.studies()) == 1
    assert count(lambda: store.add(Batch(raters=[Rater(RaterId("z"), S, "Z", RaterKind.HUMAN)]))) >= 4
    duel = duel_of()
    assert count(lambda: store.asking.hand_out(duel)) == 1
    assert count(lambda: store.add_vote(vote_on(duel))) == 1
    store.close()
