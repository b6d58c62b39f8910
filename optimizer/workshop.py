"""The main path: hand a rater the next duel, take the vote, let it be undone.

A duel is stored before it is shown. Asking again finds the rater's open duel, so a page that runs
twice, reloads or loses its connection can neither change the pair under someone's eyes nor ask for
another. Randomness comes from the study's seed and the number of duels asked so far.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Grade,
    Outcome,
    Output,
    Rater,
    RaterId,
    Study,
    StudyId,
    Vote,
    VoteId,
    new_id,
    utc_now,
)
from optimizer.errors import AlreadyVoted, BadInput, Conflict, NotAllowed, NotFound
from optimizer.pairing import Pairing, Wanted
from optimizer.storage.base import Store


@dataclass(frozen=True, slots=True)
class ShownDuel:
    """An open duel with what the page draws: the input's variables and the two texts."""

    duel: Duel
    variables: dict[str, str]
    tags: tuple[str, ...]
    first: Output
    second: Output


class Workshop:
    """Asks and records. Holds nothing that another process would need."""

    def __init__(self, store: Store, pairing: Pairing, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._pairing = pairing
        self._clock = clock

    def next_duel(self, study_id: StudyId, rater_id: RaterId) -> ShownDuel:
        """The rater's open duel, or a new one. ``NothingToAsk`` says what the study lacks."""
        now = self._clock()
        duel = self._store.open_duel(study_id, rater_id, now)
        if duel is None:
            study = self._store.study(study_id)
            self._store.release_expired(now)
            duel = self._ask(study, rater_id, now)
        return self.show(duel)

    def next_live_duel(
        self, study_id: StudyId, rater_id: RaterId, wanted: Wanted | None = None
    ) -> ShownDuel | Wanted:
        """As ``next_duel``, in a study whose outputs can be generated: else what is to be generated first.

        Nothing is stored for a duel that is wanted: whoever asks hands it back until it can be shown.
        """
        now = self._clock()
        duel = self._store.open_duel(study_id, rater_id, now)
        if duel is None:
            if wanted is not None and (wanted.study != study_id or not self._pairing.stands(wanted)):
                wanted = None
            study = self._store.study(study_id)
            self._store.release_expired(now)
            counters = self._store.counters(study_id)
            rng = np.random.default_rng([study.seed, counters.duels])
            choice = (
                self._pairing.choose_live(study, rater_id, counters, now, rng)
                if wanted is None
                else self._pairing.placed(wanted) or wanted
            )
            if isinstance(choice, Wanted):
                return choice
            duel = self._keep(choice.duel(study, rater_id, now))
        return self.show(duel)

    def show(self, duel: Duel) -> ShownDuel:
        """The duel with its texts."""
        shown = self._store.input(duel.input)
        return ShownDuel(
            duel,
            dict(shown.variables),
            shown.tags,
            self._store.output(duel.first),
            self._store.output(duel.second),
        )

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
        ``AlreadyVoted`` when another answer stands.
        """
        if grade is not None and outcome not in (Outcome.FIRST, Outcome.SECOND):
            raise BadInput(f"A vote of '{outcome}' cannot carry the grade '{grade}'.")
        duel = self._store.duel(duel_id)
        if duel.rater != rater_id:
            raise NotAllowed("This duel was asked of another rater.")
        vote = Vote(VoteId(new_id()), duel.study, duel_id, rater_id, outcome, self._clock(), grade, view_ms)
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
        """Say why: reasons per side and a comment, for a vote of one's own."""
        if self._store.vote(vote_id).rater != rater_id:
            raise NotAllowed("Only the rater who voted can say why.")
        self._store.note_vote(vote_id, first_reasons, second_reasons, comment.strip(), self._clock())

    def undo(self, study_id: StudyId, rater_id: RaterId) -> Duel:
        """Withdraw the rater's newest vote and open its duel again. ``Conflict`` when there is none."""
        vote = self._store.last_vote(study_id, rater_id)
        if vote is None:
            raise Conflict("There is no vote of yours to undo.")
        now = self._clock()
        study = self._store.study(study_id)
        self._store.withdraw_vote(vote.id, now, reopen_until=now + _lease(study))
        return self._store.duel(vote.duel)

    def withdraw(self, vote_id: VoteId) -> None:
        """The vote stops counting; it can be restored."""
        self._store.withdraw_vote(vote_id, self._clock())

    def restore(self, vote_id: VoteId) -> None:
        """A withdrawn vote counts again."""
        self._store.restore_vote(vote_id, self._clock())

    def join(self, study_id: StudyId, rater: Rater) -> Rater:
        """The rater as stored, added on the first visit."""
        try:
            return self._store.rater(rater.id)
        except NotFound:
            self._store.study(study_id)
        with suppress(Conflict):  # the same person's other tab was quicker
            self._store.add(Batch(raters=[replace(rater, study=study_id)]))
        return self._store.rater(rater.id)

    def _ask(self, study: Study, rater_id: RaterId, now: datetime) -> Duel:
        counters = self._store.counters(study.id)
        rng = np.random.default_rng([study.seed, counters.duels])
        choice = self._pairing.choose(study, rater_id, counters, now, rng)
        return self._keep(choice.duel(study, rater_id, now))

    def _keep(self, duel: Duel) -> Duel:
        self._store.add(Batch(duels=[duel]))
        return duel


def _lease(study: Study) -> timedelta:
    return timedelta(minutes=study.settings.lease_minutes)
