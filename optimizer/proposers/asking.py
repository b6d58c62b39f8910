"""One proposal from one model."""

from dataclasses import dataclass

from optimizer.judges.structured import FENCE, REMINDER, Structured, fenced
from optimizer.llm.base import Completion, LanguageModel
from optimizer.llm.tokens import estimate
from optimizer.proposers.base import Ask, Proposal
from optimizer.proposers.wording import SCHEMA, Written, read_written

AROUND = 300  # tokens of an answer beside the prompt


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal, and what the asking took."""

    proposal: Proposal
    calls: int
    tokens: int
    model: str


def ask_model(model: LanguageModel, ask: Ask, max_tokens: int | None = None) -> Proposed:
    """What the model proposes. ``max_tokens`` None leaves the limit to the connection.

    Raises ``NoVerdict`` when neither of two answers could be read, ``ProviderError`` when the server fails:
    then there is no proposal.
    """

    def read(completion: Completion, fence: str) -> Written:
        return read_written(completion.text, fence)

    structured = Structured(model, max_tokens=max_tokens)
    asked = structured.ask(ask.rules, ask.material, SCHEMA, read, ask.sample)
    written = asked.value
    proposal = Proposal(written.text, ask.parents, written.change, written.why)
    return Proposed(proposal, asked.calls, asked.tokens, asked.completion.model)


def tokens_in(ask: Ask) -> int:
    """About how many tokens the question has."""
    payload, fence = fenced(ask.material)
    return estimate(ask.rules.replace(FENCE, fence) + REMINDER) + estimate(payload)


def tokens_out(longest_parent: str) -> int:
    """About how many tokens an answer has: a prompt as long as its parent, and some words about it."""
    return AROUND + estimate(longest_parent)
