"""Prompts guessed from examples alone: which instruction would lead from these inputs to these outputs?

The way in which APOHF (Lin et al. 2024, arXiv 2405.17346) and INSTINCT (Lin et al. 2024, arXiv 2310.02905)
build their first pool, after Honovich et al. (2022): five examples drawn anew for each proposal. The
examples here are outputs that people preferred.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.errors import NothingToPropose
from optimizer.proposers.base import Ask, Brief, Proposal
from optimizer.proposers.wording import common, example_material, rules

EXAMPLES = 5  # as published

RULES = rules(
    "You find the instruction that leads from given inputs to given outputs.",
    '"task" and "criteria" say what is wanted, if anybody has said it. "examples" are inputs with outputs '
    "that people liked; the names of an input's values are the variables.",
    "Say what the outputs have in common that does not follow from the inputs alone: content, form, tone, "
    "length. Write the prompt that would have led to them, and that leads to outputs of the same kind for "
    "other inputs.",
)


@dataclass(frozen=True, slots=True)
class Induction:
    """Other examples for each proposal. Without parents: the root of a line of its own."""

    label: ClassVar[str] = "Induction"
    about: ClassVar[str] = "Guesses the prompt from inputs and outputs that people liked, seeing no prompt."
    needs_model: ClassVar[bool] = True

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]:
        if not brief.examples:
            raise NothingToPropose(
                "There is no output that won a duel, or that was brought along, to learn from. Vote first."
            )
        asks = []
        for number in range(brief.count):
            rng = np.random.default_rng([brief.turn + number, len(brief.examples)])
            drawn = rng.permutation(len(brief.examples))[:EXAMPLES]
            shown = [brief.examples[row] for row in sorted(drawn)]
            material = common(brief, brief.turn + number) | {"examples": example_material(shown)}
            asks.append(Ask(RULES, material, (), brief.turn + number))
        return asks
