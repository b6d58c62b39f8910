"""The same prompt in other words: how APOHF (Lin et al. 2024, arXiv 2405.17346) widens its first pool.

Wording alone moves models, so the pool profits; but a child that says the same is no improvement to hope
much of, and it has to win duels like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimizer.errors import NothingToPropose
from optimizer.proposers.base import Ask, Brief, Proposal
from optimizer.proposers.top_mutation import TOP
from optimizer.proposers.wording import common, prompt_material, rules

RULES = rules(
    "You say a prompt in other words.",
    '"task" and "criteria" say what it is for, "prompt" is its text.',
    "Keep what it demands, all of it, and add nothing; change sentences, their order and the choice of words "
    "as far as you can.",
)


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """Paraphrases of the strongest prompts in turn."""

    label: ClassVar[str] = "Paraphrase"
    about: ClassVar[str] = "Says the strongest prompts in other words."
    needs_model: ClassVar[bool] = True

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]:
        if not brief.pool:
            raise NothingToPropose("There is no prompt to paraphrase yet. Write one.")
        top = brief.pool[:TOP]
        parents = [top[(brief.turn + number) % len(top)] for number in range(brief.count)]
        return [
            Ask(
                RULES,
                common(brief, brief.turn + number) | {"prompt": prompt_material(parent)},
                (parent.id,),
                brief.turn + number,
            )
            for number, parent in enumerate(parents)
        ]
