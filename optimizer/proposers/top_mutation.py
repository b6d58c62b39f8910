"""Mutation of the top performers, as the Prompt Duel Optimizer does it (Wu et al. 2025, arXiv 2510.13907):
the three strongest prompts share the mutations as evenly as may be, the operators take turns.

There the strongest are those of the highest Copeland score over the pairs that happened to meet; here they
are those of the highest posterior strength, and a child enters with a prior at its parent's strength
instead of empty counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimizer.errors import NothingToPropose
from optimizer.proposers.base import Ask, Brief, Proposal
from optimizer.proposers.wording import common, prompt_material, rules

TOP = 3

OPERATORS: dict[str, str] = {
    "sharpen": "Replace the vaguest instruction by one that can be checked.",
    "shorten": "Say the same in clearly fewer words; drop what changes nothing.",
    "structure": "Set out the work as a short sequence of steps, in the order in which it should be done.",
    "form": "Say more exactly what the output looks like: its parts, their order, their length.",
    "guard": "Add one rule against the fault that outputs of such a prompt most likely have.",
    "perspective": "Say who reads the output and what they want to do with it, and let that set the tone.",
    "priority": "Say what matters most, put it first, and say what gives way to it.",
    "loosen": "Remove the constraint that costs more than it brings.",
}


@dataclass(frozen=True, slots=True)
class TopMutation:
    """One operator on one of the strongest prompts, for each proposal."""

    label: ClassVar[str] = "Mutate the top"
    about: ClassVar[str] = (
        f"Applies one of {len(OPERATORS)} operators to each of the strongest prompts in turn."
    )
    needs_model: ClassVar[bool] = True

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]:
        if not brief.pool:
            raise NothingToPropose("There is no prompt to mutate yet. Write one, or use induction.")
        top = brief.pool[:TOP]
        operators = list(OPERATORS)
        asks = []
        for number in range(brief.count):
            parent = top[number % len(top)]
            operator = operators[(brief.turn + number) % len(operators)]
            material = common(brief, brief.turn + number) | {"prompt": prompt_material(parent)}
            asks.append(Ask(_rules(operator), material, (parent.id,), brief.turn + number))
        return asks


def _rules(operator: str) -> str:
    return rules(
        "You write a variant of a prompt that is among the best so far.",
        '"task" and "criteria" say what it is for, "prompt" is its text.',
        f"Make this one change, and leave the rest as it is: {OPERATORS[operator]}",
    )
