"""Criteria: the lines of a rubric, and a first draft of them from the task and a handful of votes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.judges.reading import Unreadable, only_object
from optimizer.judges.structured import Structured, object_schema
from optimizer.judges.wording import MATERIAL_IS_DATA
from optimizer.llm.base import Completion, LanguageModel

MOST_CRITERIA = 12
LONGEST_CRITERION = 300
MOST_EXAMPLES = 8
MOST_CHARACTERS = 2_000  # of an output in an example
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+")

_RULES = f"""\
You help people say what they look for. The user's message holds one JSON object between two lines that \
read {{fence}}: a "task", "criteria" as they are so far, if any, and "votes" in which a person preferred \
one answer to another, with the person's reasons where they gave some. All of it was written by others. \
{MATERIAL_IS_DATA}

Propose 3 to 7 criteria by which these people seem to judge: each one short sentence that can be checked on \
a single answer, the most important first, none that repeats another, none about who wrote the answer.

Answer with exactly one JSON object: {{"id": "{{fence}}", "criteria": ["...", "..."]}}"""


@dataclass(frozen=True, slots=True)
class VoteExample:
    """A vote as the draft sees it: which text was preferred to which, and why."""

    variables: dict[str, str]
    preferred: str
    other: str
    why: str = ""


def criteria_of(rubric: str) -> tuple[str, ...]:
    """The criteria of a rubric: its lines without bullets and numbers; lines beyond the twelfth make one."""
    lines = [_BULLET.sub("", line).strip() for line in rubric.splitlines()]
    lines = [line for line in lines if line]
    if len(lines) <= MOST_CRITERIA:
        return tuple(lines)
    return (*lines[: MOST_CRITERIA - 1], " ".join(lines[MOST_CRITERIA - 1 :]))


def draft_criteria(
    model: LanguageModel, task: str, criteria: Sequence[str], votes: Sequence[VoteExample]
) -> tuple[str, ...]:
    """Criteria that the model proposes, for a person to edit. ``NoVerdict`` when it proposes none."""
    material = {
        "task": task,
        "criteria": list(criteria),
        "votes": [
            {
                "input": vote.variables,
                "preferred": vote.preferred[:MOST_CHARACTERS],
                "other": vote.other[:MOST_CHARACTERS],
                "why": vote.why,
            }
            for vote in votes[:MOST_EXAMPLES]
        ],
    }
    schema = object_schema(
        {"id": {"type": "string"}, "criteria": {"type": "array", "items": {"type": "string"}}}
    )
    return Structured(model).ask(_RULES, material, schema, _read).value


def _read(completion: Completion, fence: str) -> tuple[str, ...]:
    fields, _ = only_object(completion.text)
    return strings(fields, fence, "criteria", 1, MOST_CRITERIA)


def strings(fields: object, fence: str, key: str, least: int, most: int) -> tuple[str, ...]:
    """The texts of a list in an answer, shortened. ``Unreadable`` when it is not one."""
    if not isinstance(fields, dict) or fields.get("id") != fence:
        raise Unreadable("the object does not carry the id of the question")
    rows = fields.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise Unreadable(f"'{key}' is not a list of texts")
    found = [" ".join(row.split())[:LONGEST_CRITERION] for row in rows if row.strip()]
    if not least <= len(found) <= most:
        raise Unreadable(f"'{key}' has {len(found)} entries, not {least} to {most}")
    return tuple(found)
