"""The rubric of a study: what judges go by, in versions; drafted by a model, edited by people."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from optimizer.checks import check_text
from optimizer.domain import Ballot, Batch, Outcome, RaterKind, Rubric, RubricId, StudyId, new_id, utc_now
from optimizer.errors import BadInput, Conflict
from optimizer.judges.criteria import MOST_EXAMPLES, VoteExample, criteria_of, draft_criteria
from optimizer.llm.base import LanguageModel
from optimizer.storage.base import Store

READ_VOTES = 200


class Rubrics:
    """Keeps rubrics. Safe to share between threads."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    def current(self, study: StudyId) -> Rubric:
        """The newest version; the first one is made of the study's criteria."""
        known = self._store.rubrics(study)
        return known[-1] if known else self._add(study, 1, self._store.study(study).criteria)

    def shown(self, study: StudyId) -> str:
        """The text that ``current`` would have; stores nothing."""
        known = self._store.rubrics(study)
        return known[-1].text if known else self._store.study(study).criteria

    def versions(self, study: StudyId) -> list[Rubric]:
        """All of them, the first one first."""
        return self._store.rubrics(study)

    def edit(self, study: StudyId, text: str) -> Rubric:
        """The text as the next version; the current one where nothing changed."""
        text = text.strip()
        check_text("rubric", text)
        if not criteria_of(text):
            raise BadInput("A rubric needs at least one criterion. Write one to a line.")
        current = self.current(study)
        return current if current.text == text else self._add(study, current.version + 1, text)

    def draft(self, study_id: StudyId, model: LanguageModel) -> tuple[str, ...]:
        """Criteria proposed from the task and people's newest votes, those with reasons first; nothing is
        kept. Raises ``ProviderError``, and ``NoVerdict`` when the answer could not be read."""
        study = self._store.study(study_id)
        people = {r.id for r in self._store.raters(study_id) if r.kind is RaterKind.HUMAN}
        ballots = [
            ballot
            for ballot in self._store.ballots(study_id, limit=READ_VOTES)
            if ballot.winner is not None and ballot.vote.rater in people and not ballot.vote.withdrawn_at
        ]
        ballots.sort(key=lambda ballot: not _why(ballot))
        examples = [self._example(ballot) for ballot in ballots[:MOST_EXAMPLES]]
        return draft_criteria(model, study.task, criteria_of(study.criteria), examples)

    def _example(self, ballot: Ballot) -> VoteExample:
        shown = self._store.output(ballot.duel.first).text, self._store.output(ballot.duel.second).text
        preferred, other = shown if ballot.vote.outcome is Outcome.FIRST else shown[::-1]
        variables = dict(self._store.input(ballot.duel.input).variables)
        return VoteExample(variables, preferred, other, _why(ballot))

    def _add(self, study: StudyId, version: int, text: str) -> Rubric:
        rubric = Rubric(RubricId(new_id()), study, version, text, self._clock())
        with suppress(Conflict):  # somebody else was quicker
            self._store.add(Batch(rubrics=[rubric]))
            return rubric
        if version > 1:
            raise Conflict("The rubric was edited meanwhile. Load it again, then make your change.")
        return self._store.rubrics(study)[0]


def _why(ballot: Ballot) -> str:
    """A vote's reasons and comment; reasons are of the output that was preferred, or of the other."""
    vote = ballot.vote
    mine, other = vote.first_reasons, vote.second_reasons
    if vote.outcome is Outcome.SECOND:
        mine, other = other, mine
    parts = [
        f"preferred: {', '.join(mine)}" if mine else "",
        f"other: {', '.join(other)}" if other else "",
        vote.comment,
    ]
    return ". ".join(part for part in parts if part)
