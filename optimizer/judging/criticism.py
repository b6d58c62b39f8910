"""A critic's list of faults: after a person's vote, or before it where the host allows that."""

from optimizer.domain import DuelId, RaterKind
from optimizer.errors import NotAllowed
from optimizer.judges.criteria import criteria_of
from optimizer.judges.critic import Critique, criticise
from optimizer.judging.questions import question_of
from optimizer.judging.rubrics import Rubrics
from optimizer.llm.base import LanguageModel
from optimizer.storage.base import Store


class Criticism:
    """Asks critics. Safe to share between threads."""

    def __init__(self, store: Store, rubrics: Rubrics) -> None:
        self._store = store
        self._rubrics = rubrics

    def of(self, duel_id: DuelId, model: LanguageModel) -> Critique:
        """The faults of both outputs of a duel. ``NotAllowed`` while the person asked has not voted, for a
        critic sways; the study's ``critic_first`` allows it all the same.

        Raises ``NoVerdict`` when no answer could be read, ``ProviderError`` when the server fails.
        """
        duel = self._store.duel(duel_id)
        study = self._store.study(duel.study)
        open_to_person = self._store.rater(duel.rater).kind is RaterKind.HUMAN and not any(
            ballot.vote.withdrawn_at is None for ballot in self._store.ballots(duel.study, duel=duel_id)
        )
        if open_to_person and not study.settings.critic_first:
            raise NotAllowed("The critic speaks after the vote, so that it does not sway it.")
        criteria = criteria_of(self._rubrics.current(duel.study).text)
        return criticise(model, question_of(self._store, study, criteria, duel))
