"""The path of an ask says what the single reads say, and stores what ``add`` stores."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from optimizer.domain import Batch, Duel, DuelId, Outcome, OutputId, PromptId, RaterId, RaterKind, StudyId
from optimizer.errors import Conflict, NotFound
from optimizer.storage.asking import RECENT, SHARED, Crowd, Desk, Turn
from optimizer.storage.base import Store
from tests.optimizer.storage.world import HOUR, NOW, duel_of, vote_on

S, R0, R2 = StudyId("s"), RaterId("s-r0"), RaterId("s-r2")
P0, P1 = PromptId("s-p0"), PromptId("s-p1")


def voted(store: Store, times: int, rater: int = 0) -> list[Duel]:
    duels = [duel_of(n % 3, (n + 1) % 3, n % 2, rater) for n in range(times)]
    store.add(Batch(duels=duels, votes=[vote_on(duel) for duel in duels]))
    return [store.duel(duel.id) for duel in duels]


def desk(store: Store, rater: RaterId = R0) -> Desk:
    found = store.asking.begin(S, rater, NOW)
    assert isinstance(found, Desk)
    return found


def test_a_desk_is_what_the_single_reads_say(store: Store) -> None:
    done = voted(store, 4)
    others = [duel_of(rater=1), duel_of(1, 0, rater=1), duel_of(rater=1), duel_of(rater=1, expires_at=NOW)]
    store.add(Batch(duels=others))
    found = desk(store)
    assert found.study == store.study(S)
    assert found.counters == store.counters(S)
    assert found.kind is RaterKind.HUMAN
    assert {(one, other): n for one, other, n in found.pending} == Counter(store.pending(S, NOW))
    assert found.last == done[-1]
    assert found.pair_counts == store.pair_counts(S)
    assert list(found.recent()) == done[::-1]
    assert desk(store, R2).kind is RaterKind.JUDGE
    assert desk(store, R2).last is None


def test_with_an_open_duel_that_is_all(store: Store) -> None:
    first, second = duel_of(), duel_of()
    store.add(Batch(duels=[first, second]))
    assert store.asking.begin(S, R0, NOW) == first
    assert isinstance(store.asking.begin(S, R0, NOW + HOUR), Desk)
    assert store.asking.desk(S, R0, NOW).last == second
    of_all = store.asking.desk(S, None, NOW)
    assert (of_all.last, of_all.kind, list(of_all.recent())) == (second, RaterKind.HUMAN, [])


def test_only_so_many_recent_duels(store: Store) -> None:
    done = voted(store, RECENT + 2)
    voted(store, 3, rater=1)
    assert list(desk(store).recent()) == done[:1:-1]


def test_meetings_of_a_pair_and_of_all(store: Store) -> None:
    store.add(Batch(duels=[duel_of(), duel_of(1, 0, rater=1), duel_of(input=1), duel_of(2, 0)]))
    for found in (store.asking.meetings(S, P0, P1), store.asking.meetings(S, P1, P0)):
        assert found.met == store.duels_by_input(S, P0, P1) == {"s-x0": 2, "s-x1": 1}
        assert found.asked == store.duels_by_input(S) == {"s-x0": 3, "s-x1": 1}


def test_handing_out_stores_shows_and_releases(store: Store) -> None:
    late = duel_of(rater=1, expires_at=NOW)
    store.add(Batch(duels=[late]))
    duel = duel_of(2, 1, 1, replay=True, audit=True, repeats=late.id)
    shown = store.asking.hand_out(duel)
    assert store.duel(duel.id) == duel
    assert (shown.input, shown.first, shown.second) == (
        store.input(duel.input),
        store.output(duel.first),
        store.output(duel.second),
    )
    assert store.asking.shown(duel) == shown
    assert store.duel(late.id).closed_at == NOW
    assert store.counters(S).duels == 2
    assert store.asking.meetings(S, P1, PromptId("s-p2")).met == {"s-x1": 1}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (duel_of(id="taken"), Conflict),
        (duel_of(rater=9), NotFound),
        (duel_of(name="ghost"), NotFound),
        (duel_of(first_prompt=PromptId("s-p2")), NotFound),
        (replace(duel_of(), second=OutputId("s-o01")), NotFound),
        (duel_of(repeats=DuelId("ghost")), NotFound),
    ],
)
def test_what_cannot_be_handed_out_is_refused_as_by_add(
    store: Store, fault: Duel, error: type[Exception]
) -> None:
    store.add(Batch(duels=[duel_of(id="taken", rater=1)]))
    before = store.counters(S)
    with pytest.raises(error):
        store.asking.hand_out(fault)
    assert store.counters(S) == before


def test_unknown_studies_and_raters_are_not_found(store: Store) -> None:
    for study, rater in ((StudyId("no"), R0), (S, RaterId("no"))):
        with pytest.raises(NotFound, match="no"):
            store.asking.begin(study, rater, NOW)
        with pytest.raises(NotFound, match="no"):
            store.asking.desk(study, rater, NOW)


def test_times_of_a_handed_out_duel_are_kept_to_the_microsecond(store: Store) -> None:
    duel = duel_of(asked_at=NOW + timedelta(microseconds=1))
    store.asking.hand_out(duel)
    assert store.asking.begin(S, R0, NOW) == duel


def turns(store: Store, raters: str, share: float) -> Sequence[Turn]:
    return store.asking.desk(S, R0, NOW, Crowd(raters, share)).turns


def test_turns_are_the_newest_duels_of_these_raters_that_are_or_may_be_shared(store: Store) -> None:
    low, high = duel_of(id="1f"), duel_of(id="e0")
    answered, late = duel_of(id="10", rater=1), duel_of(id="20", expires_at=NOW)
    judged = duel_of(id="11", rater=2)
    store.add(Batch(duels=[low, high, answered, late, judged], votes=[vote_on(answered), vote_on(judged)]))
    again = duel_of(id="f0", rater=1, repeats=low.id)
    store.add(Batch(duels=[again, duel_of(id="12", replay=True, repeats=low.id)]))
    found = turns(store, "s-r", 0.5)
    assert [turn.duel for turn in found] == ["f0", "11", "20", "10", "1f"]
    assert [turn.held for turn in found] == [True, True, False, True, True]
    first = found[0]
    assert (first.repeats, first.rater, first.input) == (low.id, again.rater, again.input)
    assert (first.first, first.second) == (again.first_prompt, again.second_prompt)
    assert [turn.duel for turn in turns(store, "s-r1", 0.5)] == ["f0", "10"]
    assert len(turns(store, "s-r", 1.0)) == 6
    assert turns(store, "s-r", 0.0) == []  # nothing is to be shared
    assert turns(store, "t-r", 1.0) == []
    assert store.asking.desk(S, R0, NOW).turns == []
    seat = store.asking.begin(S, R2, NOW, Crowd("s-r", 0.5))
    assert isinstance(seat, Desk)
    assert seat.turns == found


def test_only_so_many_turns(store: Store) -> None:
    duels = [duel_of(n % 3, (n + 1) % 3, n % 2) for n in range(SHARED + 2)]
    store.add(Batch(duels=duels))
    found = turns(store, "s-r", 1.0)
    assert [turn.duel for turn in found] == [duel.id for duel in duels[:1:-1]]


def test_answers_are_standing_votes_that_say_something(store: Store) -> None:
    voted(store, 3)
    voted(store, 2, rater=1)
    voted(store, 4, rater=2)
    skipped = duel_of()
    store.add(Batch(duels=[skipped], votes=[vote_on(skipped, Outcome.SKIP)]))
    count = store.asking.answers
    desks = [store.asking.desk(S, R0, NOW, Crowd("s-r", counted=counted)) for counted in (True, False)]
    assert [desk.answers for desk in desks] == [9, 0]
    assert [count(S, prefix) for prefix in ("s-r", "s-r0", "s-r1", "s-r2", "s-x")] == [9, 3, 2, 4, 0]
    vote = store.last_vote(S, RaterId("s-r1"))
    assert vote is not None
    store.withdraw_vote(vote.id, NOW)
    assert count(S, "s-r1") == 1
    store.restore_vote(vote.id, NOW)
    store.replace(replace(store.rater(R0), set_aside_at=NOW))
    assert count(S, "s-r") == 6
