"""Mends what people said against the leader, no further than what it was said about.

Every complaint says on which kinds of input it was given and how many inputs are of these kinds, and what
people liked elsewhere stands beside it: a comment on one kind of input taken for a rule about all of them
makes the others worse (Stephan et al. 2024, "RLVF: Learning from Verbal Feedback without
Overgeneralization", arXiv 2402.10893).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimizer.domain import PromptId
from optimizer.errors import NothingToPropose
from optimizer.proposers.base import Ask, Brief, Proposal, Telling
from optimizer.proposers.wording import (
    MOST_DUELS,
    common,
    complaint,
    praise,
    prompt_material,
    rules,
)

MOST_LIKED = 3

RULES = rules(
    "You mend a prompt by what people said against its outputs.",
    '"task" and "criteria" say what the prompt is for. "prompt" is the one that leads. "complaints" are '
    'duels that its outputs lost, with reasons and comments, the one to mend first on top; "liked" are duels '
    'that they won. "given_on" says on which input, of which kinds, a remark was made, and how many inputs '
    "are of these kinds.",
    "Find what the complaints have in common and the line of the prompt (or its absence) that leads to it. "
    "Change only that. A remark holds for the kinds of input that it was made on: when it does not plainly "
    "concern all inputs, write the change so that it applies to those kinds only, and leave alone what "
    "people liked.",
)


@dataclass(frozen=True, slots=True)
class FromReasons:
    """Each proposal mends another complaint first."""

    label: ClassVar[str] = "From reasons"
    about: ClassVar[str] = "Rewrites the leader to mend what voters' reasons and comments say against it."
    needs_model: ClassVar[bool] = True

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]:
        if not brief.pool:
            raise NothingToPropose("There is no prompt to mend yet. Write one, or use induction.")
        leader = brief.pool[0]
        against = [duel for duel in brief.duels if duel.lost_by(leader.id)]
        against.sort(key=lambda duel: not _says_why(duel, leader.id))  # with reasons first, else newest first
        if not against:
            raise NothingToPropose(
                f"Nobody has voted against '{leader.name}' yet, so there is nothing to mend. Vote on, or let "
                "'Mutate the top' propose."
            )
        liked = [duel for duel in brief.duels if duel.won_by(leader.id)][:MOST_LIKED]
        asks = []
        for number in range(brief.count):
            first = (brief.turn + number) % min(len(against), MOST_DUELS)
            turned = [against[first], *(duel for duel in against if duel is not against[first])][:MOST_DUELS]
            material = common(brief, brief.turn + number) | {
                "prompt": prompt_material(leader),
                "complaints": [complaint(duel, *duel.seen_from(leader.id)) for duel in turned],
                "liked": [praise(duel, duel.preferred) for duel in liked],
            }
            asks.append(Ask(RULES, material, (leader.id,), brief.turn + number))
        return asks


def _says_why(duel: Telling, prompt: PromptId) -> bool:
    own, rival = duel.seen_from(prompt)
    return bool(duel.comment or own.reasons or rival.reasons)
