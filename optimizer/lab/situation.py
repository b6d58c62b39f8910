"""What is simulated: a study's situation in numbers, and what follows from the results."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from optimizer.domain import Study
from optimizer.errors import BadInput
from optimizer.results import Results
from optimizer.selectors import SELECTORS, Need
from optimizer.simulate import Result, Scene
from optimizer.simulation.run import ReadOut, Terms
from optimizer.simulation.worlds import GRADES, Manner, Setting
from optimizer.storage.base import Store

POINTS = 12  # numbers of votes at which a run is looked at
MOST_VOTES, MOST_RUNS, MOST_ARMS = 1000, 500, 60
FEWEST_VOTES = 30  # of a study before its own numbers are taken for its situation
SIMULABLE = tuple(
    name for name, selector in SELECTORS.items() if not selector.needs & {Need.FEATURES, Need.SCORES}
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is simulated. ``spread`` is the standard deviation of the prompts' strengths in logits, ``noise``
    the share of votes given at random, ``ties`` the share of ties between equal prompts, ``input_sd`` how far
    inputs move a prompt, in logits."""

    arms: int
    spread: float = 1.0
    noise: float = 0.05
    ties: float = 0.15
    inputs: int = 20
    input_sd: float = 0.6
    graded: bool = False
    votes: int = 150
    runs: int = 60
    selectors: tuple[str, ...] = ("auto", "random")
    seed: int = 0

    def check(self) -> None:
        """``BadInput`` for what cannot be simulated."""
        if not 2 <= self.arms <= MOST_ARMS:
            raise BadInput(f"A simulation needs 2 to {MOST_ARMS} prompts, not {self.arms}.")
        if not (POINTS <= self.votes <= MOST_VOTES and 1 <= self.runs <= MOST_RUNS):
            raise BadInput(f"At most {MOST_VOTES} votes and {MOST_RUNS} runs, and at least {POINTS} votes.")
        unknown = [name for name in self.selectors if name not in SIMULABLE]
        if unknown or not self.selectors:
            raise BadInput(f"These selectors cannot be simulated: {', '.join(unknown) or 'none was chosen'}.")

    @property
    def scene(self) -> Scene:
        odds = math.log(2.0 * self.ties / (1.0 - self.ties)) if 0.0 < self.ties < 1.0 else None
        manner = Manner(
            tie_logit=None if self.graded else odds,
            thresholds=GRADES if self.graded else None,
            lapse=self.noise,
            input_sd=self.input_sd,
            inputs=self.inputs if self.input_sd > 0.0 else 0,
        )
        return Scene("lab", Setting(self.arms, self.spread, self.votes), manner=manner)

    @property
    def terms(self) -> Terms:
        marks = np.unique(np.linspace(self.votes / POINTS, self.votes, POINTS).round().astype(int))
        return Terms(votes=tuple(int(mark) for mark in marks), read_out=ReadOut.FULL)


def situation_of(study: Study, store: Store, results: Results) -> Situation:
    """The study as it is; what too few votes say nothing of stays as usual."""
    arms = sum(prompt.retired_at is None for prompt in store.prompts(study.id))
    inputs = sum(row.retired_at is None for row in store.inputs(study.id))
    selector = study.settings.selector if study.settings.selector in SIMULABLE else "auto"
    selectors = tuple(dict.fromkeys((selector, "random")))
    usual = Situation(max(2, min(arms, MOST_ARMS)), inputs=max(1, inputs), selectors=selectors)
    standings = results.standings(study)
    if standings.votes < FEWEST_VOTES:
        return usual
    strengths = [row.strength for row in standings.rows if row.prompt.retired_at is None]
    ties = sum(row.both_good + row.both_bad for row in standings.rows) / max(
        1, sum(row.duels for row in standings.rows)
    )
    return Situation(
        usual.arms,
        spread=round(float(np.clip(np.std(strengths), 0.1, 3.0)), 1),
        ties=round(float(np.clip(ties, 0.0, 0.8)), 2),
        inputs=usual.inputs,
        selectors=selectors,
        votes=int(np.clip(10 * round(standings.votes / 10), usual.votes, MOST_VOTES)),
    )


def votes_needed(result: Result, wanted: float) -> float | None:
    """The number of votes from which on the best prompt is found this often; None within the budget never.

    Between two looks the line is taken for straight.
    """
    found = result.p_best_found
    if found[-1] < wanted:
        return None
    last = int(np.flatnonzero(found < wanted)[-1]) if (found < wanted).any() else -1
    if last < 0:
        return float(result.votes[0])
    share = (wanted - found[last]) / (found[last + 1] - found[last])
    return float(result.votes[last] + share * (result.votes[last + 1] - result.votes[last]))


def chance_of_better(spread: float) -> float:
    """How often the better of two prompts drawn at random wins: what a spread means, in duels."""
    gaps = np.abs(np.random.default_rng(0).normal(0.0, spread * math.sqrt(2.0), 20_000))
    return float(expit(gaps).mean())
