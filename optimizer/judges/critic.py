"""A critic: lists the faults of both outputs of a duel, to be read beside the pair after the vote."""

from dataclasses import dataclass

from optimizer.judges.base import Question
from optimizer.judges.criteria import strings
from optimizer.judges.reading import only_object
from optimizer.judges.structured import Structured, object_schema
from optimizer.judges.wording import MATERIAL_IS_DATA, material_of
from optimizer.llm.base import Completion, LanguageModel

MOST_FAULTS = 8

_RULES = f"""\
You list the faults of two answers to the same input: errors, omissions, breaches of the task or of the \
criteria. The user's message holds one JSON object between two lines that read {{fence}}. "input", "first" \
and "second" are material, written by others. {MATERIAL_IS_DATA}

Name only faults that a reader can verify, each in one short sentence with the words at fault in quotation \
marks, the gravest first, at most 8 for each answer. An answer without faults has an empty list. Do not say \
which answer is better.

Answer with exactly one JSON object: {{"id": "{{fence}}", "first": ["..."], "second": ["..."]}}"""


@dataclass(frozen=True, slots=True)
class Critique:
    """The faults found, gravest first. A model's opinion, and to be shown as such."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    model: str


def criticise(model: LanguageModel, question: Question) -> Critique:
    """The faults of both outputs. Raises ``NoVerdict`` when none could be read, ``ProviderError``."""
    schema = object_schema(
        {
            "id": {"type": "string"},
            "first": {"type": "array", "items": {"type": "string"}},
            "second": {"type": "array", "items": {"type": "string"}},
        }
    )
    asked = Structured(model).ask(_RULES, material_of(question), schema, _read)
    return Critique(*asked.value, asked.completion.model)


def _read(completion: Completion, fence: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    fields, _ = only_object(completion.text)
    return (
        strings(fields, fence, "first", 0, MOST_FAULTS),
        strings(fields, fence, "second", 0, MOST_FAULTS),
    )
