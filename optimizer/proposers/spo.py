"""The proposal step of self-supervised prompt optimisation (Xiang et al. 2025, arXiv 2502.06855): look at the
reference prompt's own outputs against the requirements, change one thing, write the prompt anew.

The published loop takes the prompt accepted last as reference and accepts by a majority of four verdicts;
here the reference is the leader by all votes, and the child has to win duels like every other prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimizer.errors import NothingToPropose
from optimizer.proposers.base import Ask, Brief, Proposal
from optimizer.proposers.wording import common, example_material, prompt_material, rules

OUTPUTS = 3  # as published

RULES = rules(
    "You improve a reference prompt by one change at a time.",
    '"task" and "criteria" are the requirements. "reference" is the best prompt so far, "its_outputs" are '
    'what it produced on some inputs; "good_outputs" are outputs that people preferred, whichever prompt '
    "they came from.",
    "First analyse where the outputs of the reference fall short of the requirements or of the good outputs. "
    "Then choose the single modification that should help most, and write the prompt with it. Keep "
    "everything else.",
)


@dataclass(frozen=True, slots=True)
class Spo:
    """Analyse, modify one thing, new prompt."""

    label: ClassVar[str] = "One change (SPO)"
    about: ClassVar[str] = (
        "Looks at the leader's own outputs, and changes the one thing that should help most."
    )
    needs_model: ClassVar[bool] = True

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]:
        if not brief.pool:
            raise NothingToPropose("There is no prompt to start from yet. Write one, or use induction.")
        leader = brief.pool[0]
        own = [
            {"input": dict(duel.variables), "output": duel.seen_from(leader.id)[0].output}
            for duel in brief.duels
            if leader.id in (duel.preferred.prompt, duel.other.prompt)
        ]
        shown = own[:OUTPUTS] or [{"output": text} for text in brief.outputs.get(leader.id, ())[:OUTPUTS]]
        if not shown:
            raise NothingToPropose(
                f"'{leader.name}' has no outputs yet. Generate some, or use 'Mutate the top'."
            )
        asks = []
        for sample in range(brief.turn, brief.turn + brief.count):
            material = common(brief, sample) | {
                "reference": prompt_material(leader),
                "its_outputs": shown,
                "good_outputs": example_material(brief.examples[:OUTPUTS]),
            }
            asks.append(Ask(RULES, material, (leader.id,), sample))
        return asks
