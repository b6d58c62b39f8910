"""One opinion from one model."""

from dataclasses import dataclass

from optimizer.judges.base import Opinion, Question
from optimizer.judges.reading import Answer, read_answer
from optimizer.judges.soft import soft_preference
from optimizer.judges.structured import Structured
from optimizer.judges.wording import RULES, answer_schema, material_of
from optimizer.llm.base import Completion

TOP_LOGPROBS = 5


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks a model for opinions, one at a time."""

    structured: Structured

    @property
    def name(self) -> str:
        return self.structured.model.name

    def ask(self, question: Question, sample: int = 0) -> Opinion:
        """An opinion; ``sample`` tells repeats apart.

        Raises ``NoVerdict`` when neither of two answers could be read, ``ProviderError`` when the server
        fails.
        """

        def read(completion: Completion, fence: str) -> Answer:
            return read_answer(completion.text, fence, len(question.criteria))

        asked = self.structured.ask(RULES, material_of(question), answer_schema(), read, sample)
        answer, completion = asked.value, asked.completion
        return Opinion(
            answer.outcome,
            answer.reason,
            answer.by_criterion,
            soft_preference(completion.text, answer.span, completion.logprobs),
            asked.calls,
            asked.tokens,
            completion.model,
        )
