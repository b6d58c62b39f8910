"""Reads a model's answer: exactly one JSON object of the right form, or nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optimizer.domain import Outcome

LONGEST = 20_000  # characters; a verdict is a few hundred
MOST_REASON = 2_000
KEYS = frozenset({"id", "reason", "criteria", "verdict"})
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


class Unreadable(Exception):
    """The answer is not one verdict; the message says why, in words of ours only."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that could be read. ``span`` is where its JSON object stands in the text."""

    outcome: Outcome
    reason: str
    by_criterion: tuple[Outcome | None, ...]
    span: tuple[int, int]


def read_answer(text: str, fence: str, criteria: int) -> Answer:
    """The verdict in a model's answer to the question of this fence. Raises ``Unreadable``.

    Words around the object are passed over. An object without the fence was not written in answer to
    this question; a second object, whichever, makes the answer ambiguous.
    """
    fields, span = only_object(text)
    if fields.get("id") != fence:
        raise Unreadable("the object does not carry the id of the question")
    if set(fields) != KEYS:
        raise Unreadable("the object has other keys than id, reason, criteria and verdict")
    reason = fields["reason"]
    if not isinstance(reason, str):
        raise Unreadable("the reason is not a text")
    by_criterion = _by_criterion(fields["criteria"], criteria)
    return Answer(_outcome(fields["verdict"]), reason.strip()[:MOST_REASON], by_criterion, span)


def only_object(text: str) -> tuple[Mapping[str, object], tuple[int, int]]:
    """The only JSON object in a text, and where it stands. Raises ``Unreadable``.

    What a reasoning model thinks aloud, up to the last ``</think>``, is not its answer.
    """
    if len(text) > LONGEST:
        raise Unreadable("the answer is far too long")
    at = text.rfind("</think>") + 1
    decoder = json.JSONDecoder(object_pairs_hook=_no_key_twice)
    found: list[tuple[Mapping[str, object], tuple[int, int]]] = []
    while (start := text.find("{", at)) >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            at = start + 1
            continue
        except RecursionError as error:
            raise Unreadable("the answer is nested too deeply") from error
        found.append((value, (start, end)))
        at = end
    if len(found) != 1:
        raise Unreadable(f"the answer holds {len(found)} JSON objects instead of one")
    return found[0]


def _no_key_twice(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable("a key stands twice in one object")
    return fields


def _by_criterion(rows: object, criteria: int) -> tuple[Outcome | None, ...]:
    if not isinstance(rows, list):
        raise Unreadable("the verdicts by criterion are not a list")
    said: dict[int, Outcome] = {}
    for row in rows:
        number = row.get("criterion") if isinstance(row, dict) else None
        if type(number) is not int or not 1 <= number <= criteria or number in said:
            raise Unreadable("the verdicts by criterion do not name each criterion once")
        said[number] = _outcome(row.get("better"))
    return tuple(said.get(number) for number in range(1, criteria + 1))


def _outcome(value: object) -> Outcome:
    if not isinstance(value, str) or value not in _OUTCOMES:
        raise Unreadable("the verdict is none of the five")
    return _OUTCOMES[value]
