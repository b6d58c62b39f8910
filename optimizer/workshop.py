"""The main path: hand a rater the next duel, take the vote, let it be undone.

A duel is stored before it is shown. Asking again finds the rater's open duel, so a page that runs
twice, reloads or loses its connection can neither change the pair under someone's eyes nor ask for
another. Randomness comes from the study's seed, the number of duels asked so far and who asks, so that
two raters who ask at the same moment are not bound to get the same pair.

Of a rater who joined a session, ``sessions/admission.py`` says whether they may be asked and may vote.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Grade,
    Outcome,
    Output,
    Prompt,
    Rater,
    RaterId,
    Study,
    StudyId,
    Vote,
    VoteId,
    new_id,
    utc_now,
)
from optimizer.errors import (
    AlreadyVoted,
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    NothingToAsk,
    SessionClosed,
)
from optimizer.metrics import ASKS, VOTES, timed
from optimizer.pairing import Choice, Pairing, Rng, Wanted, next_rng
from optimizer.sessions.admission import Admission
from optimizer.sessions.nouns import Session
from optimizer.sessions.overlap import Shared, choose_shared, put_to
from optimizer.storage.asking import Desk, Shown
from optimizer.storage.base import Store

MOST_RACES = 20  # lost to others who want the same duel, before this rater is asked a fresh one


@dataclass(frozen=True, slots=True)
class ShownDuel:
    """An open duel with what the page draws: the input's variables and the two texts.

    ``desk``: what is known of the study once it is asked, if it has just been.
    """

    duel: Duel
    variables: dict[str, str]
    tags: tuple[str, ...]
    first: Output
    second: Output
    desk: Desk | None = field(default=None, compare=False, repr=False)


class Workshop:
    """Asks and records. Holds nothing that another process would need."""

    def __init__(
        self,
        store: Store,
        pairing: Pairing,
        clock: Callable[[], datetime] = utc_now,
        admission: Admission | None = None,
    ) -> None:
        self._store = store
        self._pairing = pairing
        self._clock = clock
        self._admission = admission or Admission(store)

    @timed(ASKS, "ask")
    def next_duel(self, study_id: StudyId, rater_id: RaterId, announced: Duel | None = None) -> ShownDuel:
        """The rater's open duel, or a new one: the one ``announced`` to them, if it can still be asked.

        ``NothingToAsk`` says what the study lacks, ``SessionClosed`` that the session they joined is over.
        """
        found = self._next(study_id, rater_id, announced, None, self._pairing.choose)
        assert isinstance(found, ShownDuel)
        return found

    @timed(ASKS, "ask")
    def next_live_duel(
        self,
        study_id: StudyId,
        rater_id: RaterId,
        wanted: Wanted | None = None,
        announced: Duel | None = None,
    ) -> ShownDuel | Wanted:
        """As ``next_duel``, in a study whose outputs can be generated: else what is to be generated first.

        Nothing is stored for a duel that is wanted: whoever asks hands it back until it can be shown.
        """
        return self._next(study_id, rater_id, announced, wanted, self._pairing.choose_live)

    def announce(self, shown: ShownDuel, live: bool = False) -> ShownDuel | None:
        """What its rater is asked after this duel, chosen before they answer it and not stored.

        None where that cannot be known yet: after an undo, at the end, where a duel of somebody else lacks
        a rater, and where outputs are to be generated first (``live``, as by ``next_live_duel``). To be kept
        by whoever shows it, for ``next_duel``.
        """
        now, duel, rater_id = self._clock(), shown.duel, shown.duel.rater
        try:
            session = self._admission.admit(rater_id, now)
            crowd = session.crowd if session else None
            desk = shown.desk or self._store.asking.desk(duel.study, rater_id, now, crowd)
            study = self._admission.asks(session, desk, now, votes_ahead=1)
            if desk.last is None or desk.last.id != duel.id:
                return None  # another one may lie open, and comes first
            if self._shared(study, session, desk, rater_id) is not None:
                return None  # whoever asks first gets it
            choose = self._pairing.choose_live if live else self._pairing.choose
            choice = choose(study, desk, next_rng(study, desk.counters.duels, rater_id))
        except (NothingToAsk, SessionClosed):
            return None
        return None if isinstance(choice, Wanted) else self.show(choice.duel(study, rater_id, now))

    def show(self, duel: Duel) -> ShownDuel:
        """The duel with its texts."""
        return _shown(duel, self._store.asking.shown(duel))

    @timed(VOTES, "vote")
    def record_vote(
        self,
        duel_id: DuelId,
        rater_id: RaterId,
        outcome: Outcome,
        grade: Grade | None = None,
        view_ms: int | None = None,
    ) -> Vote:
        """Store the vote; durable on return. A second press of the same key returns the first vote.

        Raises ``DuelClosed`` when the duel expired, ``NotAllowed`` when it was asked of somebody else,
        ``SessionClosed`` when their session is over, ``AlreadyVoted`` when another answer stands.
        """
        if grade is not None and outcome not in (Outcome.FIRST, Outcome.SECOND):
            raise BadInput(f"A vote of '{outcome}' cannot carry the grade '{grade}'.")
        duel = self._store.duel(duel_id)
        if duel.rater != rater_id:
            raise NotAllowed("This duel was asked of another rater.")
        now = self._clock()
        self._admission.admit_vote(rater_id, now)
        vote = Vote(VoteId(new_id()), duel.study, duel_id, rater_id, outcome, now, grade, view_ms)
        try:
            self._store.add_vote(vote)
        except AlreadyVoted as standing:
            if (standing.vote.outcome, standing.vote.grade) == (outcome, grade):
                return standing.vote
            raise
        return vote

    def note(
        self,
        vote_id: VoteId,
        rater_id: RaterId,
        first_reasons: Sequence[str],
        second_reasons: Sequence[str],
        comment: str,
    ) -> None:
        """Say why: reasons per side and a comment, for a vote of one's own, while the session is open."""
        if self._store.vote(vote_id).rater != rater_id:
            raise NotAllowed("Only the rater who voted can say why.")
        self._admission.admit(rater_id, self._clock())
        self._store.note_vote(vote_id, first_reasons, second_reasons, comment.strip(), self._clock())

    def unmatched(self, study_id: StudyId) -> tuple[Prompt, ...]:
        """The prompts in use of which no duel can be made: on no input has such a prompt an output beside
        another's. Any of them may still be the best, so advice waits for them."""
        content = self._pairing.content(study_id)
        return tuple(p for arm, p in enumerate(content.prompts) if not content.playable[arm].any())

    def undo(self, study_id: StudyId, rater_id: RaterId) -> Duel:
        """Withdraw the rater's newest vote and open its duel again. ``Conflict`` when there is none."""
        vote = self._store.last_vote(study_id, rater_id)
        if vote is None:
            raise Conflict("There is no vote of yours to undo.")
        now = self._clock()
        session = self._admission.admit_vote(rater_id, now)
        if session is not None and session.room:
            raise NotAllowed("In a room a vote stands once it is cast.")
        study = self._store.study(study_id)
        lease = (study if session is None else session.terms(study, now)).settings.lease_minutes
        self._store.withdraw_vote(vote.id, now, reopen_until=now + timedelta(minutes=lease))
        return self._store.duel(vote.duel)

    def withdraw(self, vote_id: VoteId, by: RaterId | None = None) -> None:
        """The vote stops counting; it can be restored. ``by`` a rater: one of their own; None: the host."""
        self._check_own(vote_id, by)
        self._store.withdraw_vote(vote_id, self._clock())

    def restore(self, vote_id: VoteId, by: RaterId | None = None) -> None:
        """A withdrawn vote counts again; ``by`` as for ``withdraw``."""
        self._check_own(vote_id, by)
        self._store.restore_vote(vote_id, self._clock())

    def _check_own(self, vote_id: VoteId, by: RaterId | None) -> None:
        if by is None:
            return
        if self._store.vote(vote_id).rater != by:
            raise NotAllowed("This is the vote of another rater.")
        session = self._admission.admit_vote(by, self._clock())
        if session is not None and session.room:
            raise NotAllowed("In a room a vote stands once it is cast.")

    def join(self, study_id: StudyId, rater: Rater) -> Rater:
        """The rater as stored, added on the first visit."""
        try:
            return self._store.rater(rater.id)
        except NotFound:
            self._store.study(study_id)
        with suppress(Conflict):  # the same person's other tab was quicker
            self._store.add(Batch(raters=[replace(rater, study=study_id)]))
        return self._store.rater(rater.id)

    def _next(
        self,
        study_id: StudyId,
        rater_id: RaterId,
        announced: Duel | None,
        wanted: Wanted | None,
        choose: Callable[[Study, Desk, Rng], Choice | Wanted],
    ) -> ShownDuel | Wanted:
        now = self._clock()
        session = self._admission.admit(rater_id, now)
        seat = self._store.asking.begin(study_id, rater_id, now, session.crowd if session else None)
        if isinstance(seat, Duel):
            return self.show(seat)
        study = self._admission.asks(session, seat, now)
        if wanted is not None and wanted.study == study_id and self._pairing.stands(wanted):
            choice = self._pairing.placed(wanted) or wanted
        else:
            ready = self._announced(announced, study, seat, rater_id, now)
            ready = ready or self._also(study, session, seat, rater_id, now)
            if ready is not None:
                return ready
            choice = choose(study, seat, next_rng(study, seat.counters.duels, rater_id))
        if isinstance(choice, Wanted):
            return choice
        return self._hand_out(choice.duel(study, rater_id, now), seat)

    def _announced(
        self, announced: Duel | None, study: Study, desk: Desk, rater: RaterId, now: datetime
    ) -> ShownDuel | None:
        """The duel that was announced to this rater; None if it can no longer be asked."""
        if announced is None or (announced.study, announced.rater) != (study.id, rater):
            return None
        if not self._pairing.can_ask(announced, desk.counters.content_version):
            return None
        until = now + timedelta(minutes=study.settings.lease_minutes)
        with suppress(Conflict):  # it was asked already
            return self._hand_out(replace(announced, asked_at=now, expires_at=until), desk)
        return None

    def _also(
        self, study: Study, session: Session | None, desk: Desk, rater: RaterId, now: datetime
    ) -> ShownDuel | None:
        """A duel that somebody else was asked, for this rater too, where their session wants that."""
        for _ in range(MOST_RACES):  # what cannot be asked any more holds no other up
            shared = self._shared(study, session, desk, rater)
            if shared is None or session is None:
                return None
            duel = put_to(rater, self._store.duel(shared.duel), shared.next_id, study, now)
            with suppress(Conflict):  # somebody was quicker: what lacks raters now is looked for again
                return self._hand_out(duel, desk)
            desk = self._store.asking.desk(study.id, rater, now, session.crowd)
        return None

    def _shared(self, study: Study, session: Session | None, desk: Desk, rater: RaterId) -> Shared | None:
        """Which one that would be."""
        if session is None or not session.crowd.share:
            return None
        content = self._pairing.content(study.id, desk.counters.content_version)
        newest = [turn for turn in desk.turns if content.holds(turn.input, turn.first, turn.second)]
        return choose_shared(newest, rater, session.overlap, session.overlap_share)

    def _hand_out(self, duel: Duel, desk: Desk) -> ShownDuel:
        return _shown(duel, self._store.asking.hand_out(duel), desk.after(duel))


def _shown(duel: Duel, shown: Shown, desk: Desk | None = None) -> ShownDuel:
    variables = dict(shown.input.variables)
    return ShownDuel(duel, variables, shown.input.tags, shown.first, shown.second, desk)
