"""Crossover of two strong prompts that win on different inputs.

Parents are chosen as complements: among the strongest, the two of which each wins where the other does not,
in the spirit of keeping prompts that are best on some instances (Agrawal et al. 2025, GEPA, arXiv
2507.19457). The pool goes into the question sorted from least to most strong, as language models used as
evolution strategies need it (Lange et al. 2024, arXiv 2402.18381).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from optimizer.errors import NothingToPropose
from optimizer.proposers.base import Ask, Brief, Contender, Proposal
from optimizer.proposers.wording import MOST_DUELS, common, praise, prompt_material, rules

STRONG = 5  # of the pool, from which parents come
SHOWN = 8  # of the pool, in the question

RULES = rules(
    "You combine two strong prompts into one that wins where either of them does.",
    '"task" and "criteria" say what they are for. "first" and "second" are the parents, each with duels that '
    'it won and the kinds of input these were on; "pool" holds other prompts, from the weakest to the '
    "strongest, with their strengths.",
    "Say what each parent does that wins its duels. Write one prompt that does both, as one voice and not as "
    "two texts in a row; where they contradict each other, say for which kinds of input which holds.",
)


@dataclass(frozen=True, slots=True)
class Crossover:
    """The pairs of best complements, one after the other."""

    label: ClassVar[str] = "Crossover"
    about: ClassVar[str] = "Combines two strong prompts that win on different inputs."
    needs_model: ClassVar[bool] = True

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]:
        if len(brief.pool) < 2:
            raise NothingToPropose("A crossover needs two prompts in use. Write another one.")
        pairs = sorted(combinations(brief.pool[:STRONG], 2), key=_rank, reverse=True)
        asks = []
        for number in range(brief.count):
            first, second = pairs[(brief.turn + number) % min(len(pairs), 3)]
            rising = sorted(brief.pool[:SHOWN], key=lambda one: one.strength)
            material = common(brief, brief.turn + number) | {
                "first": _parent(brief, first),
                "second": _parent(brief, second),
                "pool": [prompt_material(one) for one in rising],
            }
            asks.append(Ask(RULES, material, (first.id, second.id), brief.turn + number))
        return asks


def _rank(pair: tuple[Contender, Contender]) -> tuple[int, float]:
    """On how many inputs the weaker half of the two complements the other; then how strong they are."""
    first, second = pair
    alone = len(first.won - second.won), len(second.won - first.won)
    return min(alone), first.strength + second.strength


def _parent(brief: Brief, parent: Contender) -> dict[str, object]:
    won = [duel for duel in brief.duels if duel.won_by(parent.id)][: MOST_DUELS // 2]
    return prompt_material(parent) | {"won": [praise(duel, duel.preferred) for duel in won]}
