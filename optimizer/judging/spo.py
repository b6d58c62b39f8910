"""Self-supervised prompt optimisation as a preset (Xiang et al. 2025, arXiv 2502.06855): a challenger meets
the champion on three inputs, judged in both orders, and is accepted only when it wins clearly.

The published rule, a majority of four verdicts in one order each, accepts a challenger that is no better
with a chance of 5/16. This one does with 7/64 when the judge tosses a coin in each order, with 4/25 at
most (each input won or lost with a chance of 2/5), and never when the judge follows the position.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.domain import InputId, Outcome, PromptId, Study
from optimizer.errors import BadInput
from optimizer.judges import JudgeSettings
from optimizer.judging.plan import Match, Plan, Seat
from optimizer.storage.base import Store

INPUTS = 3
CLEAR = 2  # more wins than losses


@dataclass(frozen=True, slots=True)
class Contest:
    """What came of a challenge: wins, losses and ties of the challenger, and of how many duels."""

    wins: int
    losses: int
    ties: int
    wanted: int

    @property
    def complete(self) -> bool:
        return self.wins + self.losses + self.ties >= self.wanted

    @property
    def accepted(self) -> bool:
        """Does the challenger win clearly? Never before every duel is judged."""
        return self.complete and self.wins - self.losses >= CLEAR


def sampled_inputs(store: Store, study: Study, count: int = INPUTS) -> tuple[InputId, ...]:
    """The inputs of every challenge of a study: drawn once, by its seed. ``BadInput`` without any."""
    active = [row.id for row in store.inputs(study.id) if row.retired_at is None]
    if not active:
        raise BadInput("This study has no inputs yet. Add a row, or upload a table.")
    order = np.random.default_rng([study.seed, 3]).permutation(len(active))
    return tuple(active[x] for x in sorted(order[:count]))


def challenge(
    study: Study, connection: str, champion: PromptId, challenger: PromptId, inputs: Sequence[InputId]
) -> Plan:
    """The run that judges a challenger against the champion, both orders on each input."""
    return Plan(
        study.id,
        (Seat(connection, JudgeSettings("both_orders")),),
        duels=1_000_000,
        matches=tuple(Match(champion, challenger, row) for row in inputs),
        follow=False,
        until_advised=False,
    )


def outcome_of(
    store: Store, study: Study, champion: PromptId, challenger: PromptId, inputs: Iterable[InputId]
) -> Contest:
    """The contest as the standing votes of its matches tell it; the newest on each input counts."""
    wanted = set(inputs)
    said: dict[InputId, Outcome] = {}
    for ballot in store.ballots(study.id):
        duel = ballot.duel
        of_both = {duel.first_prompt, duel.second_prompt} == {champion, challenger}
        if duel.selector != "match" or ballot.vote.withdrawn_at or not of_both or duel.input not in wanted:
            continue
        outcome = ballot.vote.outcome
        said.setdefault(duel.input, outcome if duel.first_prompt == challenger else outcome.swapped)
    wins = sum(outcome is Outcome.FIRST for outcome in said.values())
    losses = sum(outcome is Outcome.SECOND for outcome in said.values())
    return Contest(wins, losses, len(said) - wins - losses, len(wanted))
