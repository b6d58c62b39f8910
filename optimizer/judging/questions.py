"""What a judge or a critic is shown of a duel."""

from optimizer.domain import Duel, Study
from optimizer.judges.base import Question
from optimizer.storage.base import Store


def question_of(store: Store, study: Study, criteria: tuple[str, ...], duel: Duel) -> Question:
    """The task, the criteria, the input and both outputs; no prompt and no name."""
    return Question(
        study.task,
        criteria,
        store.input(duel.input).variables,
        store.output(duel.first).text,
        store.output(duel.second).text,
    )
