"""A model's own probability of its verdict, from the log-probabilities of the token that decides it."""

import math
import re
from collections.abc import Sequence

from optimizer.judges.wording import VERDICTS
from optimizer.llm.base import TokenLogprob

KNOWN_SHARE = 0.5  # of the probability must lie on tokens that can be told apart
_VALUE = re.compile(r'"verdict"\s*:\s*"')
_SCORES = {"first": 1.0, "second": 0.0, "both_good": 0.5, "both_bad": 0.5, "skip": None}


def soft_preference(text: str, span: tuple[int, int], tokens: Sequence[TokenLogprob]) -> float | None:
    """P(first is better), ties as half, or None where the tokens do not tell.

    ``span`` is where the answer's JSON object stands in ``text``. In JSON a quote inside of a string is
    escaped, so the key that ends in a bare quote and a colon is the object's own.
    """
    found = list(_VALUE.finditer(text, *span))
    if len(found) != 1 or "".join(token.token for token in tokens) != text:
        return None
    value, at = found[0].end(), 0
    for token in tokens:
        if at <= value < at + len(token.token):
            return _at_token(token, text[at:value])
        at += len(token.token)
    return None


def _at_token(token: TokenLogprob, before: str) -> float | None:
    """From the alternatives at the token in which the value begins after ``before``."""
    chances = {**token.alternatives, token.token: token.logprob}
    known = first = 0.0
    for alternative, logprob in chances.items():
        score = _score(alternative.removeprefix(before)) if alternative.startswith(before) else None
        if score is not None:
            known += math.exp(logprob)
            first += score * math.exp(logprob)
    return first / known if known >= KNOWN_SHARE else None


def _score(beginning: str) -> float | None:
    """The score of the verdicts that begin so, if they agree on one."""
    word = beginning.partition('"')[0].strip()
    scores = {_SCORES[verdict] for verdict in VERDICTS if word and verdict.startswith(word)}
    return scores.pop() if len(scores) == 1 else None
