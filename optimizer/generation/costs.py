"""What a generation will cost, about, and what it did cost, as the servers counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10

from optimizer.domain import Connection, Output, PromptId, StudyId
from optimizer.errors import BadInput
from optimizer.generation.cells import Cell, Material
from optimizer.llm.base import Usage, request_hash
from optimizer.llm.budget import NOTHING, Spend
from optimizer.llm.tokens import USUAL_ANSWER, cost, estimate_input
from optimizer.storage.base import Store


@dataclass(frozen=True, slots=True)
class Preview:
    """What is about to be spent. ``reused`` answers are known already and cost nothing.

    ``money`` is None when the connection has no prices. ``unfit`` counts cells whose template does not
    fit their input; they cannot be generated, and ``fault`` says why for the first of them.
    """

    calls: int
    reused: int
    input_tokens: int
    output_tokens: int
    money: float | None
    unfit: int = 0
    fault: str = ""

    @property
    def sentence(self) -> str:
        """Such as "24 calls, about 18,000 tokens, about $0.02"."""
        if not self.calls and not self.unfit:
            return "Nothing to call for: every output is there."
        parts = [_counted(self.calls, "call"), *self._about()]
        if self.reused:
            parts.append(f"{self.reused:,} more known already")
        if self.unfit:
            parts.append(f"{self.unfit:,} cannot be made")
        return ", ".join(parts)

    @property
    def button(self) -> str:
        """For the button that spends it: "Generate 24 outputs, about 18,000 tokens, about $0.02"."""
        made = _counted(self.calls + self.reused, "output")
        return ", ".join([f"Generate {made}", *(self._about() if self.calls else ["without a call"])])

    def _about(self) -> list[str]:
        tokens = f"about {_round(self.input_tokens + self.output_tokens):,} tokens"
        return [tokens] if self.money is None else [tokens, f"about {money_text(self.money)}"]


def preview(
    store: Store, connection: Connection, material: Material, study: StudyId, cells: list[Cell]
) -> Preview:
    """What these cells will take. Answers are as long as the study's so far, else of a usual length."""
    answer = _usual_answer(store, connection, material, study)
    calls = reused = sent = unfit = 0
    fault = ""
    for cell in cells:
        try:
            request = material.request(cell)
        except BadInput as error:
            unfit += 1
            fault = fault or str(error)
            continue
        known = store.output_by_request(request_hash(connection, request))
        if known is not None and known.usable:
            reused += 1
        else:
            calls += 1
            sent += estimate_input(request)
    usage = Usage(sent, calls * answer)
    return Preview(calls, reused, sent, usage.output_tokens, cost(connection, usage), unfit, fault)


def spent(outputs: Iterable[Output]) -> Spend:
    """What the calls behind these outputs took. Imported and reused outputs took nothing."""
    total = NOTHING
    for output in outputs:
        if "request_hash" in output.settings and "reused" not in output.settings:
            total += spend_of_output(output)
    return total


def spend_of_output(output: Output) -> Spend:
    """What the call behind one output took."""
    usage = output.usage
    tokens = int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0))
    return Spend(1, *tokens, float(usage.get("cost", 0.0)))


def spent_by_prompt(store: Store, study: StudyId) -> dict[PromptId, Spend]:
    """What each prompt's outputs took. Reads the outputs prompt by prompt."""
    return {prompt.id: spent(store.outputs(study, prompt.id)) for prompt in store.prompts(study)}


def money_text(money: float) -> str:
    """An amount in cents, and below one with a digit that tells something: $0.02, $1.35, $0.0004."""
    if money == 0:
        return "$0"
    return f"${money:,.2f}" if money >= 0.0095 else f"${money:.{-floor(log10(money))}f}"


def _usual_answer(store: Store, connection: Connection, material: Material, study: StudyId) -> int:
    """Tokens of an answer: the mean over the first input that has generated outputs."""
    seen = [
        int(output.usage["output_tokens"])
        for row in list(material.inputs)[:1]
        for output in store.outputs(study, input=row)
        if "output_tokens" in output.usage
    ]
    usual = round(sum(seen) / len(seen)) if seen else USUAL_ANSWER
    return usual if connection.max_tokens is None else min(usual, connection.max_tokens)


def _round(tokens: int) -> int:
    """To two leading digits: nobody should read more into an estimate."""
    digits = max(0, len(str(tokens)) - 2)
    return round(tokens, -digits)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
