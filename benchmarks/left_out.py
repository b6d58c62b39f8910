"""Why three classic dueling bandits are not among the selectors: measured, not asserted.

    python -m benchmarks.left_out --runs 200 --seed 1

Interleaved filter (Yue, Broder, Kleinberg, Joachims 2012, IF2), beat-the-mean (Yue, Joachims 2011, the
online version with gamma = 1) and SAVAGE (Urvoy, Clerot, Feraud, Naamane 2013, Condorcet version), each as
published and told the number of votes, beside random pairs and double Thompson sampling from the registry.
World: Bradley-Terry, strengths N(0, 1) in logits. Printed: simple regret in logits of the arm that the
Bradley-Terry read-out recommends after the votes, mean and standard error; and how many runs the rule ended
by itself before the votes did. All rules see the same worlds; each number of votes is a run of its own.
"""

import argparse
from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
from scipy.special import expit

from optimizer.selectors import SELECTORS
from optimizer.selectors.base import FloatArray, blank_record
from optimizer.stats.bradley_terry import fit_strengths
from optimizer.stats.tally import Tally

Generation = Generator[
    tuple[int, int], bool, int
]  # yields a pair, is sent "the first won", returns its winner
Rule = Callable[[int, int, np.random.Generator], Generation]


def interleaved_filter(k: int, budget: int, rng: np.random.Generator) -> Generation:
    """A candidate meets all others in turn; who surely loses goes, who surely beats it takes its place."""
    failure = 1.0 / (budget * k**2)
    candidate = int(rng.integers(k))
    others = [arm for arm in range(k) if arm != candidate]
    wins, met = np.zeros(k), np.zeros(k)
    while others:
        for arm in list(others):
            wins[arm] += yield candidate, arm
            met[arm] += 1
        rate = wins / np.maximum(met, 1.0)
        radius = np.sqrt(4.0 * np.log(1.0 / failure) / np.maximum(met, 1.0))
        others = [arm for arm in others if not rate[arm] - radius[arm] > 0.5]
        better = [arm for arm in others if rate[arm] + radius[arm] < 0.5]
        if better:
            candidate = better[0]
            # Pruning, the second form (IF2): arms that did worse than even against the old candidate go too.
            others = [arm for arm in others if arm != candidate and not rate[arm] > 0.5]
            wins[:], met[:] = 0.0, 0.0
    return candidate


def beat_the_mean(k: int, budget: int, rng: np.random.Generator) -> Generation:
    """Each arm is measured against random others; the surely worst goes, with all duels against it."""
    failure = 1.0 / (2.0 * budget * k)
    wins, met = np.zeros((k, k)), np.zeros((k, k))
    working = list(range(k))
    while len(working) > 1:
        inside = np.ix_(working, working)
        often = met[inside].sum(1)
        at = int(rng.choice(np.flatnonzero(often == often.min())))
        arm = working[at]
        rival = int(rng.choice([other for other in working if other != arm]))
        wins[arm, rival] += yield arm, rival
        met[arm, rival] += 1
        often = met[inside].sum(1)
        rate = np.where(often > 0, wins[inside].sum(1) / np.maximum(often, 1.0), 0.5)
        least = often.min()
        radius = 3.0 * np.sqrt(np.log(1.0 / failure) / least) if least > 0 else 1.0
        if rate.min() + radius <= rate.max() - radius:
            working.remove(working[int(np.argmin(rate))])
    return working[0]


def savage(k: int, budget: int, rng: np.random.Generator) -> Generation:
    """Every pair that may still matter is explored evenly; a sure loser takes its pairs with it."""
    wins = np.zeros((k, k))
    open_pairs = np.triu(np.ones((k, k), dtype=bool), 1)
    while open_pairs.any():
        met = wins + wins.T
        fewest = met[open_pairs].min()
        i, j = rng.choice(np.argwhere(open_pairs & (met == fewest)))
        first_won = yield int(i), int(j)
        wins[(i, j) if first_won else (j, i)] += 1
        met = wins + wins.T
        seen = np.maximum(met, 1.0)
        radius = np.sqrt((np.log(k * (k - 1)) + 2.0 * np.log(budget)) / (2.0 * seen))
        loses = (met > 0) & (wins / seen + radius < 0.5)
        beaten = loses.any(1)
        open_pairs &= ~(beaten[:, None] | beaten[None, :])
    return int(np.argmin(loses.sum(1)))


def registered(name: str) -> Rule:
    """A selector of the project as a generation; it never ends by itself."""

    def rule(k: int, budget: int, rng: np.random.Generator) -> Generation:
        counts = np.zeros((k, k))
        blank = blank_record(k, budget=budget)
        last: tuple[int, int] | None = None
        while True:
            pair = SELECTORS[name].ask(replace(blank, tally=Tally.from_wins(counts), last=last), rng)
            last = (pair.first, pair.second)
            first_won = yield last
            counts[last if first_won else last[::-1]] += 1

    return rule


RULES: dict[str, Rule] = {
    "interleaved filter": interleaved_filter,
    "beat the mean": beat_the_mean,
    "SAVAGE": savage,
    "random": registered("random"),
    "double_thompson": registered("double_thompson"),
    "auto": registered("auto"),
}


def regret(rule: Rule, strengths: FloatArray, budget: int, rng: np.random.Generator) -> tuple[float, bool]:
    """Simple regret in logits of the Bradley-Terry read-out, and whether the rule ended by itself."""
    k = len(strengths)
    wins = np.zeros((k, k))
    generation = rule(k, budget, rng)
    ended = False
    try:
        i, j = next(generation)
        for vote in range(budget):
            first_won = bool(rng.random() < expit(strengths[i] - strengths[j]))
            wins[(i, j) if first_won else (j, i)] += 1
            if vote + 1 < budget:
                i, j = generation.send(first_won)
    except StopIteration:
        ended = True
    leader = fit_strengths(wins).leader
    return float(strengths.max() - strengths[leader]), ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--arms", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--votes", type=int, nargs="+", default=[50, 100, 200])
    wanted = parser.parse_args()
    print(
        "| rule | "
        + " | ".join(f"K={k}, {votes} votes" for k in wanted.arms for votes in wanted.votes)
        + " |"
    )
    print("|---|" + "---|" * (len(wanted.arms) * len(wanted.votes)))
    for name, rule in RULES.items():
        cells = []
        for k in wanted.arms:
            for votes in wanted.votes:
                found = []
                for run in range(wanted.runs):
                    strengths = np.random.default_rng([wanted.seed, k, run]).normal(size=k)
                    rng = np.random.default_rng([wanted.seed, k, run, votes])
                    found.append(regret(rule, strengths, votes, rng))
                regrets = np.array([value for value, _ in found])
                error = regrets.std(ddof=1) / np.sqrt(wanted.runs)
                ended = np.mean([done for _, done in found])
                cells.append(
                    f"{regrets.mean():.3f} ± {error:.3f}" + (f" ({ended:.0%} ended)" if ended else "")
                )
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
