"""Judges with a known opinion, as models: they read the request as a real model would and answer in its form.

Everything between the question and the vote is therefore the same as with a real model. Opinions of
a duel are drawn from its two texts, so the same question has the same answer on every run, and a
judge that errs does so in the same way in both orders.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from optimizer.domain import Outcome
from optimizer.llm.base import Request
from optimizer.llm.scripted import Scripted

Rule = Callable[[str, str, int], Outcome]  # first text, second text, sample -> what the judge says


def judging_model(rule: Rule, label: str) -> Scripted:
    """A model that answers judges' requests by a rule."""
    return Scripted(lambda request: answer_by(rule, request), label)


def answer_by(rule: Rule, request: Request) -> str:
    """The answer that the rule gives to a judge's request."""
    fence, payload, _ = request.messages[-1].content.split("\n")
    material: Mapping[str, Any] = json.loads(payload)
    outcome = rule(material["first"], material["second"], request.sample)
    return json.dumps(
        {
            "id": fence,
            "reason": "By the script.",
            "criteria": [{"criterion": int(n), "better": outcome} for n in material["criteria"]],
            "verdict": outcome,
        }
    )


def perfect(quality: Callable[[str], float]) -> Rule:
    """Says which output is better; equals are both good."""

    def rule(first: str, second: str, sample: int) -> Outcome:
        gap = quality(first) - quality(second)
        return Outcome.FIRST if gap > 0 else Outcome.SECOND if gap < 0 else Outcome.BOTH_GOOD

    return rule


def always(outcome: Outcome) -> Rule:
    """Says the same of every duel."""
    return lambda first, second, sample: outcome


def at_random(seed: int = 0) -> Rule:
    """Tosses a coin, another one for each order."""

    def rule(first: str, second: str, sample: int) -> Outcome:
        heads = _rng(seed, first, second, str(sample)).random() < 0.5
        return Outcome.FIRST if heads else Outcome.SECOND

    return rule


def agreeing(truth: Rule, rate: float, seed: int = 0) -> Rule:
    """Says what ``truth`` says of so many duels, and the opposite of the others, in either order."""

    def rule(first: str, second: str, sample: int) -> Outcome:
        said = truth(first, second, sample)
        right = _rng(seed, *sorted((first, second)), str(sample)).random() < rate
        return said if right else said.swapped

    return rule


def _rng(seed: int, *texts: str) -> np.random.Generator:
    digest = hashlib.sha256(json.dumps([seed, *texts]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
