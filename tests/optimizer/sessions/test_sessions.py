"""A session from its opening to its archive, and what its raters may and may not do."""

from dataclasses import replace

import pytest

from optimizer.domain import Batch, Outcome, Rater, RaterId, RaterKind, Settings, Study, StudyId
from optimizer.errors import (
    BadInput,
    DuelClosed,
    GoalReached,
    NotAllowed,
    NotFound,
    SessionClosed,
    TooManyTries,
)
from optimizer.pairing import next_rng
from optimizer.sessions import Goal, Reveal, Sessions
from optimizer.sessions.admission import Admission
from optimizer.sessions.codec import read_seat, read_session, seat_body, session_body
from optimizer.sessions.nouns import SessionId, session_of
from optimizer.sessions.service import WRONG_CODES
from optimizer.sessions.tries import WINDOW
from optimizer.storage.documents import Document
from optimizer.workshop import Workshop
from tests.optimizer.session_world import STUDY, World


@pytest.fixture
def world() -> World:
    return World()


def test_terms_are_kept_and_read_back(world: World) -> None:
    session = world.open(
        minutes=45,
        instructions=" Read both. ",
        goal=Goal.VOTES,
        goal_votes=50,
        overlap=3,
        overlap_share=0.25,
        reasons=False,
        reveal=Reveal.AT_END,
        selector="random",
        groups=("Sales", "Support"),
    )
    assert world.sessions.session(session.id) == session
    assert session.instructions == "Read both."
    assert len(session.id) == 6
    old = Document("session", session.id, {"name": "Old", "opened_at": "2026-01-01T00:00:00+00:00"}, STUDY)
    assert read_session(old).overlap == 1  # what an older version did not write has its default
    assert read_session(replace(old, body=session_body(session))) == session


def test_bad_terms_are_refused(world: World) -> None:
    for terms, word in (
        ({"overlap": 0}, "raters"),
        ({"overlap_share": 1.5}, "share"),
        ({"goal": Goal.VOTES}, "goal"),
        ({"selector": "guess"}, "selector"),
        ({"groups": ("one",)}, "Groups"),
        ({"lease_minutes": 0.0}, "kept"),
        ({"minutes": 0.0}, "limit"),
    ):
        with pytest.raises(BadInput, match=word):
            world.open(**terms)  # type: ignore[arg-type]


def test_the_same_person_is_the_same_rater_with_the_same_open_duel(world: World) -> None:
    session = world.open()
    (ann,) = world.join(session, "Ann")
    duel = world.workshop.next_duel(STUDY, ann).duel
    world.sessions.leave("token of Ann")
    assert world.sessions.seat("token of Ann") is None
    again = world.sessions.join(
        f" {session.id.lower()[:3]}-{session.id.lower()[3:]} ", "token of Ann", "Anna"
    )
    assert again.rater == ann
    assert world.store.rater(ann).name == "Anna"
    assert world.workshop.next_duel(STUDY, again.rater).duel == duel
    # Another process knows as much.
    other = Workshop(world.store, world.pairing, world.clock)
    assert other.next_duel(STUDY, ann).duel == duel


def test_a_seat_survives_as_it_is(world: World) -> None:
    session = world.open(groups=("Sales", "Support"))
    with pytest.raises(BadInput, match="group"):
        world.sessions.join(session.id, "token", "Ann", "Board")
    seat = world.sessions.join(session.id, "token", "Ann", "Sales")
    assert world.sessions.seat("token") == seat
    assert read_seat(Document("seat", seat.rater, seat_body(seat), STUDY)) == seat
    world.sessions.practised(seat)
    assert world.sessions.seat("token") == replace(seat, practised=True)
    assert world.sessions.join(session.id, "token", "Ann", "Sales").practised
    assert "token" not in seat.rater
    assert session_of(seat.rater) == session.id
    assert session.holds(seat.rater)
    assert session_of(RaterId("5f3a" * 4)) is None


def test_people_of_one_name_are_told_apart(world: World) -> None:
    session = world.open()
    seats = [
        world.sessions.join(session.id, f"token {n}", name) for n, name in enumerate(("Ann", "ann", "Ann"))
    ]
    assert [seat.name for seat in seats] == ["Ann", "ann 2", "Ann 3"]
    assert [world.store.rater(seat.rater).name for seat in seats] == ["Ann", "ann 2", "Ann 3"]
    assert world.sessions.join(session.id, "token 0", "Ann").name == "Ann"  # who comes back keeps theirs
    assert world.sessions.join(world.open().id, "token 1", "Ann").name == "Ann"  # in another session


def test_a_wrong_code_is_told(world: World) -> None:
    with pytest.raises(NotFound, match="'NOWAY1'"):
        world.sessions.join("NOWAY1", "token", "Ann")


def test_wrong_codes_are_limited_wherever_they_are_tried(world: World) -> None:
    session = world.open()
    replicas = [world.sessions, Sessions(world.store, world.clock)]
    for number in range(WRONG_CODES.from_one):
        with pytest.raises(NotFound):
            replicas[number % 2].by_code(f"WRONG{number}", "6.6.6.6")
        world.clock.pass_time(seconds=1)
    for refused in (
        lambda: replicas[0].by_code(session.id, "6.6.6.6"),  # the right one tells no more than a wrong one
        lambda: replicas[1].join(session.id, "token", "Ann", address="6.6.6.6"),
    ):
        with pytest.raises(TooManyTries, match="wrong codes"):
            refused()
    assert world.sessions.join(session.id, "token", "Ann", address="1.2.3.4").name == "Ann"
    world.clock.now += WINDOW
    assert world.sessions.by_code(session.id, "6.6.6.6") == session


def test_wrong_codes_of_many_addresses_together_are_limited_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(WRONG_CODES, from_one=2, from_all=5)
    monkeypatch.setattr("optimizer.sessions.service.WRONG_CODES", few)
    sessions = Sessions(world.store, world.clock)
    session = world.open()
    for number in range(5):
        with pytest.raises(NotFound):
            sessions.by_code("NOWAY1", f"6.6.6.{number}")
    with pytest.raises(TooManyTries):
        sessions.by_code(session.id, "1.2.3.4")


def test_right_codes_are_not_counted_nor_do_they_write(world: World) -> None:
    session = world.open()
    for _ in range(2 * WRONG_CODES.from_one):
        world.sessions.by_code(session.id, "1.2.3.4")
    assert not world.store.documents.all(WRONG_CODES.kind)


def test_after_closing_nobody_votes_or_joins_until_it_is_reopened(world: World) -> None:
    session = world.open()
    (ann,) = world.join(session, "Ann")
    world.vote(ann)
    vote = world.store.ballots(STUDY, ann)[0].vote
    open_duel = world.workshop.next_duel(STUDY, ann).duel
    world.sessions.close(session.id)
    for forbidden in (
        lambda: world.workshop.record_vote(open_duel.id, ann, Outcome.FIRST),
        lambda: world.workshop.next_duel(STUDY, ann),
        lambda: world.workshop.next_live_duel(STUDY, ann),
        lambda: world.workshop.undo(STUDY, ann),
        lambda: world.workshop.withdraw(vote.id, by=ann),
        lambda: world.workshop.note(vote.id, ann, (), (), "too late"),
        lambda: world.join(session, "Bob"),
    ):
        with pytest.raises(SessionClosed):
            forbidden()
    assert world.store.counters(STUDY).votes == 1
    world.sessions.reopen(session.id)
    world.workshop.record_vote(open_duel.id, ann, Outcome.FIRST)
    world.sessions.archive(session.id)
    assert world.sessions.session(session.id).archived_at is not None
    with pytest.raises(SessionClosed):
        world.workshop.next_duel(STUDY, ann)
    assert not world.sessions.reopen(session.id).archived_at


def test_the_time_limit_closes_by_itself(world: World) -> None:
    session = world.open(minutes=10)
    (ann,) = world.join(session, "Ann")
    duel = world.workshop.next_duel(STUDY, ann).duel
    world.clock.pass_time(minutes=10)
    with pytest.raises(SessionClosed):
        world.workshop.record_vote(duel.id, ann, Outcome.FIRST)
    world.sessions.reopen(session.id, 5)
    world.workshop.record_vote(duel.id, ann, Outcome.FIRST)


def test_nobody_votes_on_the_duel_of_another_or_takes_back_their_vote(world: World) -> None:
    ann, bob = world.join(world.open(), "Ann", "Bob")
    duel = world.workshop.next_duel(STUDY, ann).duel
    with pytest.raises(NotAllowed):
        world.workshop.record_vote(duel.id, bob, Outcome.FIRST)
    vote = world.workshop.record_vote(duel.id, ann, Outcome.FIRST)
    for forbidden in (
        lambda: world.workshop.withdraw(vote.id, by=bob),
        lambda: world.workshop.restore(vote.id, by=bob),
        lambda: world.workshop.note(vote.id, bob, (), (), "mine"),
    ):
        with pytest.raises(NotAllowed):
            forbidden()
    world.workshop.withdraw(vote.id, by=ann)
    world.workshop.restore(vote.id, by=ann)


def test_a_rater_of_one_study_is_not_asked_about_another(world: World) -> None:
    (ann,) = world.join(world.open(), "Ann")
    world.store.add(Batch([Study(StudyId("t"), "Other")]))
    with pytest.raises(NotAllowed):
        world.workshop.next_duel(StudyId("t"), ann)


def test_a_goal_of_votes_ends_the_asking_but_not_the_duel_in_hand(world: World) -> None:
    host = world.workshop.join(STUDY, Rater(RaterId("host"), STUDY, "Host"))
    judge = world.workshop.join(STUDY, Rater(RaterId("judge"), STUDY, "Judge", RaterKind.JUDGE))
    session = world.open(goal=Goal.VOTES, goal_votes=2)
    (elsewhere,) = world.join(world.open(), "Eve")
    ann, bob = world.join(session, "Ann", "Bob")
    for other in (host.id, judge.id, elsewhere):  # theirs do not count for its goal
        world.vote(other)
    world.vote(ann, Outcome.SKIP)  # nor does what says nothing
    world.vote(ann)
    assert world.sessions.answers(session) == 1
    seen = world.workshop.next_duel(STUDY, bob)
    in_hand = seen.duel
    assert world.workshop.announce(seen) is None  # a vote on it reaches the goal
    world.vote(ann)
    with pytest.raises(GoalReached):
        world.workshop.next_duel(STUDY, ann)
    assert world.workshop.next_duel(STUDY, bob).duel == in_hand
    world.workshop.record_vote(in_hand.id, bob, Outcome.SECOND)
    with pytest.raises(GoalReached):
        world.workshop.next_duel(STUDY, bob)


def test_a_goal_of_advice_ends_the_asking_when_the_advice_is_to_stop(world: World) -> None:
    said = [False]
    world.workshop = Workshop(
        world.store, world.pairing, world.clock, Admission(world.store, lambda study, counters: said[0])
    )
    (ann,) = world.join(world.open(goal=Goal.ADVICE), "Ann")
    world.vote(ann)
    said[0] = True
    with pytest.raises(GoalReached):
        world.workshop.next_duel(STUDY, ann)


def test_an_abandoned_duel_goes_back_after_the_lease_of_the_session(world: World) -> None:
    session = world.open(lease_minutes=5.0)
    ann, bob = world.join(session, "Ann", "Bob")
    duel = world.workshop.next_duel(STUDY, ann).duel
    assert world.store.pending(STUDY, world.clock()) == [(duel.first_prompt, duel.second_prompt)]
    world.clock.pass_time(minutes=5)
    world.workshop.next_duel(STUDY, bob)
    assert world.store.duel(duel.id).closed_at == world.clock()  # released
    with pytest.raises(DuelClosed):
        world.workshop.record_vote(duel.id, ann, Outcome.FIRST)
    assert world.workshop.next_duel(STUDY, ann).duel.id != duel.id


def test_the_session_chooses_the_selector() -> None:
    world = World(Settings(selector="round_robin", audit_share=0.0, replay_share=0.0))
    (ann,) = world.join(world.open(selector="random"), "Ann")
    assert world.workshop.next_duel(STUDY, ann).duel.selector == "random"
    (bob,) = world.join(world.open(), "Bob")
    assert world.workshop.next_duel(STUDY, bob).duel.selector == "round_robin"


def test_when_names_are_revealed(world: World) -> None:
    now = world.clock()
    never, each, end = (world.open(reveal=reveal) for reveal in Reveal)
    assert [one.reveals(now) for one in (never, each, end)] == [False, True, False]
    assert [world.sessions.close(one.id).reveals(now) for one in (never, each, end)] == [False, True, True]
    assert each.terms(world.store.study(STUDY), now).settings.reveal
    assert not end.terms(world.store.study(STUDY), now).settings.reveal


def test_sessions_are_listed_newest_first(world: World) -> None:
    first = world.open()
    world.clock.pass_time(minutes=1)
    second = world.open()
    assert [one.id for one in world.sessions.all(STUDY)] == [second.id, first.id]
    with pytest.raises(NotFound):
        world.sessions.close(SessionId("AAAAAA"))


def test_two_who_ask_at_the_same_moment_are_not_bound_to_get_the_same_pair() -> None:
    """Each replica may see the same counts; who asks decides what chance draws."""
    world = World()
    desk = world.store.asking.desk(STUDY, None, world.clock())
    drawn = {
        (choice.first.prompt, choice.second.prompt)
        for rater in range(20)
        for choice in [
            world.pairing.choose(
                desk.study, desk, next_rng(desk.study, desk.counters.duels, RaterId(f"r{rater}"))
            )
        ]
    }
    assert len(drawn) > 5
