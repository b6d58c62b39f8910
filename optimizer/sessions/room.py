"""A room: everyone is shown the same pair, votes within a countdown, and sees the split together.

The host shows a pair; when its time is up, or when the host says so, the split shows. After a discussion
the host may call for a second vote on the same pair, which never counts for the ranking: the first one was
independent. What stage a round is in follows from the clock, so nothing has to run between two looks.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from optimizer.domain import ANSWERS, Batch, Duel, DuelId, Outcome, RaterId, utc_now
from optimizer.errors import BadInput, Conflict, NotAllowed, NotFound, SessionClosed
from optimizer.pairing import Pairing, next_rng
from optimizer.sessions.codec import ROOM, ROUND
from optimizer.sessions.nouns import Seat, Session, session_of
from optimizer.sessions.rounds import Round, Stage, read_round, round_body
from optimizer.stats.agreement import Coefficient, krippendorff_alpha
from optimizer.stats.judge_bias import Rate, rate
from optimizer.storage.base import Answered, Store
from optimizer.storage.documents import Document

SHORTEST_S, LONGEST_S = 5, 3600
SHOWN = (Outcome.FIRST, Outcome.BOTH_GOOD, Outcome.BOTH_BAD, Outcome.SECOND)  # in the order of the screen

Answers = dict[RaterId, Outcome]  # what each rater said of a pair


@dataclass(frozen=True, slots=True)
class Split:
    """How a room voted on a pair; skips are left out."""

    counts: tuple[int, ...]  # in the order of ``SHOWN``

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def agreement(self) -> Rate:
        """How many of the pairs of raters gave the same answer."""
        pairs = self.n * (self.n - 1) // 2
        return rate(sum(count * (count - 1) // 2 for count in self.counts), pairs)


@dataclass(frozen=True, slots=True)
class Both:
    """A round with its split before the discussion and, where there was a second vote, after it."""

    round: Round
    before: Split
    after: Split | None
    twice: tuple[Split, Split]  # the same two, of those who voted both times: what may be compared
    moved: int  # of those, who gave another answer the second time


class Room:
    """Runs the rounds of sessions in a room. Keeps nothing in the process."""

    def __init__(self, store: Store, pairing: Pairing, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._pairing = pairing
        self._clock = clock

    # -- the host -----------------------------------------------------------------------------
    def show_next(self, session: Session, seats: Sequence[Seat], seconds: int) -> Round:
        """A new pair for everybody who is there, who joins later is asked as well. ``Conflict`` when another
        pair was shown at the same moment."""
        now = self._clock()
        _check(session, now, seconds)
        if not seats:
            raise BadInput("Nobody has joined yet. A pair can be shown when somebody has.")
        present = self._store.documents.get(ROOM, session.id)
        number = 1 if present is None else int(present.body["number"]) + 1
        desk = self._store.asking.desk(session.study, None, now)
        study = session.terms(desk.study, now)
        rng = next_rng(study, desk.counters.duels, RaterId(session.id))
        drawn = self._pairing.choose(study, desk, rng).duel(study, seats[0].rater, now)
        id = f"{session.id}-{number}"
        closes = now + timedelta(seconds=seconds)
        shown = Round(
            id, session.id, study.id, number, DuelId(""), drawn.input, drawn.first, drawn.second,
            drawn.first_prompt, drawn.second_prompt, drawn.selector, drawn.reason, drawn.audit, now, closes,
        )  # fmt: skip
        shown = replace(shown, root=shown.duel_id(seats[0].rater, again=False))
        version = 0 if present is None else present.version
        # The number first, which only one can have; the round last, when all that it names is there. Killed
        # in between, the room has no present pair, and the next one shows.
        self._store.documents.put(Document(ROOM, session.id, {"number": number}, study.id, version, now))
        self._store.add(Batch(duels=[shown.duel(seat.rater, again=False) for seat in seats]))
        self._store.documents.put(Document(ROUND, id, round_body(shown), study.id, 0, now))
        return shown

    def reveal(self, session: Session, seats: Sequence[Seat]) -> Round:
        """Show the split now; votes that come later are refused."""
        now = self._clock()

        def end(one: Round) -> Round:
            stage = one.stage(now)
            if stage is Stage.VOTING:
                return replace(one, closes_at=now)
            return replace(one, again_closes_at=now) if stage is Stage.AGAIN else one

        shown = self._change(session, end)
        for seat in seats:
            with suppress(Conflict, NotFound):  # answered, or never asked
                self._store.renew_duel(shown.duel_id(seat.rater, shown.again_at is not None), now)
        return shown

    def vote_again(self, session: Session, seats: Sequence[Seat], seconds: int) -> Round:
        """A second vote on the same pair, of those who were asked the first time."""
        now = self._clock()
        _check(session, now, seconds)

        def again(one: Round) -> Round:
            if one.stage(now) is not Stage.REVEALED:
                raise NotAllowed("A second vote comes after the split of the first, and only once.")
            return replace(one, again_at=now, again_closes_at=now + timedelta(seconds=seconds))

        shown = self._change(session, again)
        asked = [seat.rater for seat in seats if self._asked(shown.duel_id(seat.rater, again=False))]
        self._store.add(Batch(duels=[shown.duel(rater, again=True) for rater in asked]))
        return shown

    # -- everybody ----------------------------------------------------------------------------
    def current(self, session: Session) -> Round | None:
        """The newest round; None before the first one."""
        document = self._present(session)
        return read_round(document) if document else None

    def duel(self, shown: Round, rater: RaterId) -> Duel | None:
        """What this rater is asked now; None when there is nothing to answer. Who came late is asked too,
        but not the second time, when there is no first answer to compare with."""
        stage = shown.stage(self._clock())
        if stage not in (Stage.VOTING, Stage.AGAIN):
            return None
        again = stage is Stage.AGAIN
        known = self._asked(shown.duel_id(rater, again))
        if known is None and not again:
            known = shown.duel(rater, again)
            with suppress(Conflict):  # asked at the same moment, in another tab
                self._store.add(Batch(duels=[known]))
        return known

    def split(self, shown: Round, again: bool = False) -> Split:
        """How the room voted, as far as it has."""
        return _split(_answers(shown, self._store.answered(shown.study), again))

    def rounds(self, session: Session) -> list[Both]:
        """Every round of a session with both its splits, oldest first. Reads all votes: not for every run."""
        rows = self._store.answered(session.study)
        found = []
        for one in self._rounds(session):
            before, after = (_answers(one, rows, again) for again in (False, True))
            twice = _of_both(before, after)
            moved = sum(before[rater] is not after[rater] for rater in twice[0])
            second = None if one.again_at is None else _split(after)
            found.append(Both(one, _split(before), second, (_split(twice[0]), _split(twice[1])), moved))
        return found

    def alphas(self, session: Session) -> tuple[Coefficient, Coefficient]:
        """Krippendorff's coefficient before and after the discussion, over the rounds that had both votes and
        the raters who cast both: of others it is not known what the discussion did."""
        rows = self._store.answered(session.study)
        both = [
            _of_both(_answers(one, rows, False), _answers(one, rows, True))
            for one in self._rounds(session)
            if one.again_at is not None
        ]
        return _alpha([before for before, _ in both]), _alpha([after for _, after in both])

    def _rounds(self, session: Session) -> list[Round]:
        documents = self._store.documents.all(ROUND, session.study)
        found = [read_round(document) for document in documents if document.body["session"] == session.id]
        return sorted(found, key=lambda one: one.number)

    def _present(self, session: Session) -> Document | None:
        """The newest round, as it is kept."""
        room = self._store.documents.get(ROOM, session.id)
        return room and self._store.documents.get(ROUND, f"{session.id}-{room.body['number']}")

    def _asked(self, id: DuelId) -> Duel | None:
        try:
            return self._store.duel(id)
        except NotFound:
            return None

    def _change(self, session: Session, change: Callable[[Round], Round]) -> Round:
        document = self._present(session)
        if document is None:
            raise NotAllowed("No pair has been shown yet.")
        changed = change(read_round(document))
        body = round_body(changed)
        self._store.documents.put(replace(document, body=body, changed_at=self._clock()))
        return changed


def _check(session: Session, now: datetime, seconds: int) -> None:
    if not session.is_open(now):
        raise SessionClosed("The session is over. Reopen it to show a pair.")
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadInput(f"A countdown is {SHORTEST_S} to {LONGEST_S:,} seconds, not {seconds}.")


def _answers(shown: Round, rows: Sequence[Answered], again: bool) -> Answers:
    """What each rater said who did not skip."""
    said = {
        row.rater: ANSWERS[row.answer][0]
        for row in rows
        if session_of(row.rater) == shown.session and row.duel == shown.duel_id(row.rater, again)
    }
    return {rater: outcome for rater, outcome in said.items() if outcome in SHOWN}


def _of_both(before: Answers, after: Answers) -> tuple[Answers, Answers]:
    """The two, of the raters who are in each."""
    return (
        {rater: said for rater, said in before.items() if rater in after},
        {rater: said for rater, said in after.items() if rater in before},
    )


def _split(said: Answers) -> Split:
    counts = Counter(said.values())
    return Split(tuple(counts[outcome] for outcome in SHOWN))


def _alpha(rounds: Sequence[Answers]) -> Coefficient:
    raters = sorted({rater for said in rounds for rater in said})
    ratings = np.full((len(raters), len(rounds)), np.nan)
    for column, said in enumerate(rounds):
        for rater, outcome in said.items():
            ratings[raters.index(rater), column] = SHOWN.index(outcome)
    return krippendorff_alpha(ratings, np.random.default_rng(0))
