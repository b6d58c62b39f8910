"""Everyone sees the same pair, votes in time, sees the split, and may vote again after a discussion."""

import pytest

from optimizer.domain import Outcome, RaterId
from optimizer.errors import BadInput, Conflict, DuelClosed, NotAllowed, SessionClosed
from optimizer.sessions import Session
from optimizer.sessions.room import Room
from optimizer.sessions.rounds import Round, Stage
from tests.optimizer.session_world import STUDY, World

A, GOOD, BAD, B = Outcome.FIRST, Outcome.BOTH_GOOD, Outcome.BOTH_BAD, Outcome.SECOND


class Meeting(World):
    """A room with three people in it."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Session = self.open(room=True)
        self.people = self.join(self.session, "Ann", "Bob", "Cid")
        self.room = Room(self.store, self.pairing, self.clock)

    def show(self, seconds: int = 30) -> Round:
        return self.room.show_next(self.session, self.sessions.seats(STUDY), seconds)

    def say(self, *answers: Outcome) -> None:
        shown = self.room.current(self.session)
        assert shown is not None
        for rater, outcome in zip(self.people, answers, strict=False):
            self.answer(shown, rater, outcome)

    def answer(self, shown: Round, rater: RaterId, outcome: Outcome) -> None:
        duel = self.room.duel(shown, rater)
        assert duel is not None
        self.workshop.record_vote(duel.id, rater, outcome)


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


def test_everyone_is_asked_the_same_pair_the_same_way_round(meeting: Meeting) -> None:
    shown = meeting.show()
    duels = [meeting.room.duel(shown, rater) for rater in meeting.people]
    assert len({(duel.first, duel.second) for duel in duels if duel}) == 1
    (late,) = meeting.join(meeting.session, "Dan")
    late_duel = meeting.room.duel(shown, late)
    assert late_duel is not None
    assert late_duel.repeats == shown.root
    assert meeting.room.duel(shown, late) == late_duel
    # Another process shows the same.
    other = Room(meeting.store, meeting.pairing, meeting.clock)
    assert other.current(meeting.session) == shown


def test_the_split_counts_every_vote_and_the_ranking_too(meeting: Meeting) -> None:
    shown = meeting.show()
    meeting.say(A, A, B)
    split = meeting.room.split(shown)
    assert split.counts == (2, 0, 0, 1)
    assert (split.agreement.hits, split.agreement.n) == (1, 3)
    assert meeting.results.standings(meeting.store.study(STUDY)).votes == 3


def test_votes_after_the_countdown_are_refused(meeting: Meeting) -> None:
    shown = meeting.show(30)
    duel = meeting.room.duel(shown, meeting.people[0])
    assert duel is not None
    assert shown.stage(meeting.clock()) is Stage.VOTING
    assert shown.seconds_left(meeting.clock()) == 30
    meeting.clock.pass_time(seconds=30)
    assert shown.stage(meeting.clock()) is Stage.REVEALED
    assert meeting.room.duel(shown, meeting.people[0]) is None
    with pytest.raises(DuelClosed):
        meeting.workshop.record_vote(duel.id, meeting.people[0], A)


def test_the_host_may_reveal_early(meeting: Meeting) -> None:
    meeting.show(600)
    meeting.say(A)
    shown = meeting.room.current(meeting.session)
    assert shown is not None
    late = meeting.room.duel(shown, meeting.people[1])
    assert late is not None
    meeting.clock.pass_time(seconds=5)
    shown = meeting.room.reveal(meeting.session, meeting.sessions.seats(STUDY))
    assert shown.stage(meeting.clock()) is Stage.REVEALED
    with pytest.raises(DuelClosed):
        meeting.workshop.record_vote(late.id, meeting.people[1], A)


def test_the_second_vote_is_compared_and_never_counts(meeting: Meeting) -> None:
    meeting.show()
    meeting.say(A, A, B)
    with pytest.raises(NotAllowed):
        meeting.room.vote_again(meeting.session, meeting.sessions.seats(STUDY), 20)  # before the reveal
    meeting.clock.pass_time(seconds=31)
    (late,) = meeting.join(meeting.session, "Dan")
    again = meeting.room.vote_again(meeting.session, meeting.sessions.seats(STUDY), 20)
    assert meeting.room.duel(again, late) is None  # nothing to compare with
    meeting.say(A, A, A)
    meeting.clock.pass_time(seconds=21)
    (both,) = meeting.room.rounds(meeting.session)
    assert both.before.counts == (2, 0, 0, 1)
    assert both.after is not None
    assert both.after.counts == (3, 0, 0, 0)
    assert (both.moved, both.twice[0].n) == (1, 3)
    assert both.after.agreement.value == 1.0
    assert meeting.results.standings(meeting.store.study(STUDY)).votes == 3
    with pytest.raises(NotAllowed):
        meeting.room.vote_again(meeting.session, meeting.sessions.seats(STUDY), 20)  # once


def test_agreement_before_and_after_over_the_rounds(meeting: Meeting) -> None:
    for first, second in (((A, A, B), (A, A, A)), ((B, A, B), (B, B, B)), ((GOOD, B, A), (A, A, A))):
        meeting.show()
        meeting.say(*first)
        meeting.clock.pass_time(seconds=31)
        meeting.room.vote_again(meeting.session, meeting.sessions.seats(STUDY), 20)
        meeting.say(*second)
        meeting.clock.pass_time(seconds=21)
    before, after = meeting.room.alphas(meeting.session)
    assert before.n == after.n == 3
    assert before.value < 0.2
    assert after.value == 1.0


def test_before_and_after_are_compared_on_those_who_voted_both_times(meeting: Meeting) -> None:
    meeting.show()
    meeting.say(A, A, B)
    meeting.clock.pass_time(seconds=31)
    meeting.room.vote_again(meeting.session, meeting.sessions.seats(STUDY), 20)
    meeting.say(A, A)  # who disagreed has left
    meeting.clock.pass_time(seconds=21)
    (both,) = meeting.room.rounds(meeting.session)
    assert both.before.agreement.value < 1.0
    assert [split.counts for split in both.twice] == [(2, 0, 0, 0), (2, 0, 0, 0)]
    assert both.moved == 0
    assert [alpha.n for alpha in meeting.room.alphas(meeting.session)] == [0, 0]  # of one answer: not defined


def test_in_a_room_nobody_is_asked_ahead_or_takes_a_vote_back(meeting: Meeting) -> None:
    ann = meeting.people[0]
    with pytest.raises(NotAllowed):
        meeting.workshop.next_duel(STUDY, ann)
    meeting.show()
    meeting.say(A)
    with pytest.raises(NotAllowed):
        meeting.workshop.undo(STUDY, ann)
    with pytest.raises(NotAllowed):
        meeting.workshop.withdraw(meeting.store.ballots(STUDY, ann)[0].vote.id, by=ann)


def test_two_hosts_who_press_at_once_show_one_pair(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one read the same present pair as the first, and is refused before anything is asked."""
    meeting.show()
    read = meeting.store.documents.get("room", meeting.session.id)
    meeting.clock.pass_time(seconds=40)
    meeting.show()
    asked = meeting.store.counters(STUDY).duels
    get = meeting.store.documents.get
    monkeypatch.setattr(
        meeting.store.documents, "get", lambda kind, id: read if kind == "room" else get(kind, id)
    )
    with pytest.raises(Conflict):
        meeting.show()
    assert meeting.store.counters(STUDY).duels == asked


def test_a_server_killed_while_it_shows_a_pair_blocks_nothing(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:

        def die(batch: object) -> None:
            raise KeyboardInterrupt

        killed.setattr(meeting.store, "add", die)
        with pytest.raises(KeyboardInterrupt):
            meeting.show()
    assert meeting.room.current(meeting.session) is None
    assert meeting.show().number == 2
    meeting.say(A)


def test_what_cannot_be_shown(meeting: Meeting) -> None:
    empty = meeting.open(room=True)
    with pytest.raises(BadInput, match="Nobody"):
        meeting.room.show_next(empty, [], 30)
    with pytest.raises(BadInput, match="countdown"):
        meeting.show(1)
    with pytest.raises(NotAllowed, match="No pair"):
        meeting.room.reveal(empty, [])
    assert meeting.room.current(empty) is None
    closed = meeting.sessions.close(meeting.session.id)
    with pytest.raises(SessionClosed):
        meeting.room.show_next(closed, meeting.sessions.seats(STUDY), 30)
