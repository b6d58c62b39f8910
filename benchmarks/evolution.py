"""Does the loop find better prompts than simpler rules, at equal numbers of votes? SIMULATED throughout.

    python -m benchmarks.evolution [--runs 200] [--votes 50 100 200 400] [--seed 2028] [--write]

There is no text and no language model in it. A prompt is a vector of traits, a proposer changes one or two of
them at random, and raters have hidden preferences over traits: each rater's votes are logistic in how much
better one prompt fits them on an input, some votes are slips. Every rule starts from the same three prompts,
has the same kind of proposals, and may ask for the same number of votes; what is reported is the true
quality of the prompt that it recommends at the end, less that of the best of the first three, in logits.

    loop           this project's: selector, first duels, rounds, retirement and read-out are the app's code
    loop, no lineage   the same, children being strangers to their parents
    random search  as many new prompts, of parents drawn at random; votes on random pairs; the same read-out
    one duel       hill climbing: a child replaces the incumbent when it wins one duel
    4 judge calls  SPO's rule (Xiang et al. 2025): it does when it wins most of four votes
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads would only get in the way

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from optimizer.domain import Prompt, PromptId, StudyId  # noqa: E402
from optimizer.evolution.deciding import Look, why_over  # noqa: E402
from optimizer.evolution.plan import Plan  # noqa: E402
from optimizer.evolution.pool import leaving  # noqa: E402
from optimizer.newcomers import FIRST_DUELS, introduce  # noqa: E402
from optimizer.selectors.auto import Auto  # noqa: E402
from optimizer.selectors.base import blank_record  # noqa: E402
from optimizer.standings import Row  # noqa: E402
from optimizer.stats.bradley_terry import fit_by_evidence  # noqa: E402
from optimizer.stats.posterior import Posterior  # noqa: E402
from optimizer.stats.priors import by_lineage  # noqa: E402
from optimizer.stats.readouts import p_best  # noqa: E402
from optimizer.stats.stopping import AdviceKind, advise  # noqa: E402
from optimizer.stats.tally import Tally  # noqa: E402

FloatArray = NDArray[np.float64]
Rng = np.random.Generator

STUDY = StudyId("simulated")
TRAITS, RATERS, INPUTS = 8, 5, 20
FIRST_PROMPTS = 3
RATER_SD = 0.4  # how far raters' tastes lie apart, per trait
INPUT_SD = 0.5  # what an input adds to each prompt, logits
SLIP = 0.05  # votes that say nothing
STEP = 0.7  # of a mutation, per trait changed
DEFAULT = Plan(STUDY, "top_mutation", "simulated")


@dataclass
class World:
    """Hidden tastes, and the prompts made so far. Qualities are logits; 0 fits the mean taste perfectly."""

    rng: Rng
    stiffness: float
    taste: FloatArray = field(init=False)
    tastes: FloatArray = field(init=False)
    prompts: list[FloatArray] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    effects: list[FloatArray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.taste = self.rng.normal(0, 1, TRAITS)
        self.tastes = self.taste + self.rng.normal(0, RATER_SD, (RATERS, TRAITS))
        self.tastes -= self.tastes.mean(0) - self.taste
        for _ in range(FIRST_PROMPTS):
            self.add(self.rng.normal(0, 0.4, TRAITS), -1)

    def add(self, traits: FloatArray, parent: int) -> int:
        self.prompts.append(traits)
        self.parents.append(parent)
        self.effects.append(self.rng.normal(0, INPUT_SD, INPUTS))
        return len(self.prompts) - 1

    def child(self, parent: int) -> int:
        """The proposer: one or two traits changed at random."""
        traits = self.prompts[parent].copy()
        changed = self.rng.choice(TRAITS, self.rng.integers(1, 3), replace=False)
        traits[changed] += self.rng.normal(0, STEP, len(changed))
        return self.add(traits, parent)

    def fit(self, prompt: int, taste: FloatArray) -> float:
        return float(-self.stiffness * ((self.prompts[prompt] - taste) ** 2).sum())

    def quality(self, prompt: int) -> float:
        """To the mean taste: what is to be maximised, and what no rule sees."""
        return self.fit(prompt, self.taste)

    def vote(self, one: int, other: int) -> bool:
        """Does ``one`` win? Of a random rater, on a random input."""
        if self.rng.random() < SLIP:
            return bool(self.rng.random() < 0.5)
        rater, row = int(self.rng.integers(RATERS)), int(self.rng.integers(INPUTS))
        taste = self.tastes[rater]
        gap = self.fit(one, taste) - self.fit(other, taste)
        gap += self.effects[one][row] - self.effects[other][row]
        return bool(self.rng.random() < expit(gap))

    @property
    def best_of_first(self) -> float:
        return max(self.quality(prompt) for prompt in range(FIRST_PROMPTS))


def one_duel(world: World, votes: Sequence[int]) -> list[float]:
    return climb(world, votes, calls=1)


def spo(world: World, votes: Sequence[int]) -> list[float]:
    return climb(world, votes, calls=4)


def climb(world: World, votes: Sequence[int], calls: int) -> list[float]:
    """A child replaces the incumbent when it wins more than half of its votes; the quality at each mark."""
    incumbent, cast, reached = 0, 0, []
    for mark in votes:
        while cast + calls <= mark:
            child = world.child(incumbent)
            wins = sum(world.vote(child, incumbent) for _ in range(calls))
            cast += calls
            if 2 * wins > calls:
                incumbent = child
        reached.append(world.quality(incumbent))
    return reached


@dataclass
class Duels:
    """Votes so far, over all prompts ever made."""

    world: World
    lineage: bool
    wins: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    cast: int = 0

    def add(self, one: int, other: int) -> None:
        self.grow()
        won = self.world.vote(one, other)
        self.wins[(one, other) if won else (other, one)] += 1.0
        self.cast += 1

    def grow(self) -> None:
        more = len(self.world.prompts) - len(self.wins)
        self.wins = np.pad(self.wins, ((0, more), (0, more)))

    def posterior(self) -> Posterior:
        """The read-out: Bradley-Terry, width by evidence, children starting at their parents."""
        self.grow()
        similarity = by_lineage(np.array(self.world.parents)) if self.lineage else None
        return fit_by_evidence(self.wins, similarity=similarity)

    @property
    def played(self) -> FloatArray:
        return (self.wins + self.wins.T).sum(1)


def loop(world: World, votes: Sequence[int], plan: Plan = DEFAULT, lineage: bool = True) -> list[float]:
    """The project's loop in its app's own parts, on active prompts alone; the leader is recommended."""
    duels, active = Duels(world, lineage), list(range(FIRST_PROMPTS))
    reached, before, last = [], 0, None
    for mark in votes:
        while duels.cast < mark:
            pair = ask(duels, active, last, world.rng, lineage)
            last = pair
            duels.add(*pair)
            if round_is_over(duels, active, before, plan, world.rng):
                active = renewed(duels, active, plan, world)
                before = duels.cast
        mean = duels.posterior().mean
        reached.append(world.quality(max(active, key=lambda prompt: mean[prompt])))
    return reached


def ask(
    duels: Duels, active: list[int], last: tuple[int, int] | None, rng: Rng, lineage: bool
) -> tuple[int, int]:
    """First duels for newcomers, else the default selector; arms are places in ``active``."""
    duels.grow()
    counts = np.zeros((len(active), len(active), 8))
    counts[:, :, 1] = duels.wins[np.ix_(active, active)]
    place = {prompt: arm for arm, prompt in enumerate(active)}
    parents = np.array([place.get(nearest(duels.world, prompt, place), -1) for prompt in active])
    record = blank_record(
        len(active),
        tally=Tally(counts),
        asked=duels.cast,
        last=tuple(place[one] for one in last) if last and set(last) <= place.keys() else None,
        parents=parents if lineage else None,
        proposed=np.array([duels.world.parents[prompt] >= 0 for prompt in active]),
    )
    pair = introduce(record, rng) or Auto().ask(record, rng)
    return active[pair.first], active[pair.second]


def nearest(world: World, prompt: int, place: dict[int, int]) -> int:
    """The nearest ancestor in use, -1 for none."""
    here = world.parents[prompt]
    while here >= 0 and here not in place:
        here = world.parents[here]
    return here


def round_is_over(duels: Duels, active: list[int], before: int, plan: Plan, rng: Rng) -> bool:
    clear = False
    introduced = bool((duels.played[active] >= FIRST_DUELS).all())
    if introduced and duels.cast % 4 == 0:  # the app looks now and then, too
        whole = duels.posterior()
        competing = Posterior(
            whole.mean[active], whole.cov[np.ix_(active, active)], whole.prior_sd, whole.log_evidence
        )
        clear = advise(competing, duels.cast, rng, forecast=False).kind is not AdviceKind.KEEP_GOING
    look = Look(duels.cast, 0, None, clear, introduced)
    return why_over(look, before, 0, plan.round_votes, plan.weak_share) is not None


def renewed(duels: Duels, active: list[int], plan: Plan, world: World) -> list[int]:
    """The pool after retirements and proposals: the three strongest are mutated, as ``top_mutation`` does."""
    posterior = duels.posterior()
    chance = p_best(posterior.draws(2000, world.rng)[:, active])
    played = duels.played
    order = sorted(range(len(active)), key=lambda at: -posterior.mean[active[at]])
    rows = [row_of(active[at], chance[at], int(played[active[at]]), posterior) for at in order]
    gone = {int(one.prompt) for one in leaving(rows, duels.cast, plan.most_prompts, plan.children)}
    staying = [active[at] for at in order if active[at] not in gone]
    top = staying[:3]
    children = [world.child(top[number % len(top)]) for number in range(plan.children)]
    return [*staying, *children]


def row_of(prompt: int, chance: float, duels: int, posterior: Posterior) -> Row:
    noun = Prompt(PromptId(str(prompt)), STUDY, str(prompt), "")
    return Row(noun, float(posterior.mean[prompt]), 0, 0, float(chance), 1, 1, 0, 0, 0, duels, 0, 0, 0)


def no_lineage(world: World, votes: Sequence[int]) -> list[float]:
    return loop(world, votes, lineage=False)


def random_search(world: World, votes: Sequence[int], plan: Plan = DEFAULT) -> list[float]:
    """New prompts of random parents, as many as a full round has them; votes on random pairs of all."""
    duels, reached = Duels(world, True), []
    for mark in votes:
        while duels.cast < mark:
            if duels.cast and duels.cast % plan.round_votes == 0:
                for _ in range(plan.children):
                    world.child(int(world.rng.integers(len(world.prompts))))
            one, other = world.rng.choice(len(world.prompts), 2, replace=False)
            duels.add(int(one), int(other))
        reached.append(world.quality(duels.posterior().leader))
    return reached


RULES: dict[str, Callable[[World, Sequence[int]], list[float]]] = {
    "loop": loop,
    "loop, no lineage": no_lineage,
    "random search": random_search,
    "one duel": one_duel,
    "4 judge calls": spo,
}
STIFFNESS = {"clear tastes": 0.4, "faint tastes": 0.1}


def run(job: tuple[str, float, int, int, tuple[int, ...]]) -> list[float]:
    """What one rule reached in one world, above the best of the first prompts."""
    rule, stiffness, seed, number, votes = job
    world = World(np.random.default_rng([seed, number]), stiffness)
    start = world.best_of_first
    return [reached - start for reached in RULES[rule](world, votes)]


def table(runs: int, votes: tuple[int, ...], seed: int, workers: int) -> str:
    """Mean gain with its 95 % interval; below, the loop's lead over each rule in the same worlds."""
    lines = []
    with ProcessPoolExecutor(workers) as pool:
        for label, stiffness in STIFFNESS.items():
            found = {}
            for rule in RULES:
                jobs = [(rule, stiffness, seed, number, votes) for number in range(runs)]
                found[rule] = np.array(list(pool.map(run, jobs, chunksize=10)))
                print(label, rule, found[rule].mean(0).round(2), file=sys.stderr, flush=True)
            lines += [f"### Simulated, {label} ({runs} runs)", ""]
            lines += [
                f"| rule | {' | '.join(f'{mark} votes' for mark in votes)} |",
                "|---" * (len(votes) + 1) + "|",
            ]
            for rule, gains in found.items():
                name = f"**{rule}**" if rule == "loop" else rule
                lines.append(f"| {name} | {' | '.join(interval(column) for column in gains.T)} |")
            for rule in ("random search", "one duel", "4 judge calls"):
                leads = (found["loop"] - found[rule]).T
                lines.append(f"| *lead over {rule}* | {' | '.join(lead(column) for column in leads)} |")
            lines.append("")
    return "\n".join(lines)


def interval(values: FloatArray) -> str:
    return f"{values.mean():+.2f} ± {1.96 * values.std(ddof=1) / np.sqrt(len(values)):.2f}"


def lead(values: FloatArray) -> str:
    """A difference, and whether its interval leaves out 0."""
    reach = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    verdict = "met" if values.mean() > reach else "**not met**"
    return f"{interval(values)}, {verdict}"


ABOUT = """
No text and no language model is in this: a prompt is a vector of {traits} traits, a proposer changes one
or two of them at random, and {raters} raters have hidden preferences over traits ({slip:.0%} of votes are
slips; inputs add a standard deviation of {input_sd:g} logits to each prompt). Every rule starts from the
same {first} prompts, with the same kind of proposals and the same number of votes; the two climbers get a
proposal for every vote, or every four, the loop {children} for every {round_votes}. Cells: true quality
of the recommended prompt, in logits above the best of the first {first} (which nobody knows, so doing
nothing is below 0), mean and 95 % interval over {runs} worlds (seed {seed}). *Clear tastes*: a first
proposal changes quality by 0.64 logits, for the better in 39 % of cases; *faint*: by 0.16, so that most
votes are coin tosses. The loop is made of the app's selector, first duels, rounds, retirement and prior;
its read-out is Bradley-Terry with lineage. Its settings were chosen on worlds of another seed. It says
nothing of how well a language model writes prompts. `python -m benchmarks.evolution --write` repeats it.
"""


def section(tables: str, runs: int, seed: int) -> str:
    """The section of docs/benchmarks.md."""
    about = ABOUT.format(
        traits=TRAITS,
        raters=RATERS,
        slip=SLIP,
        input_sd=INPUT_SD,
        first=FIRST_PROMPTS,
        children=DEFAULT.children,
        round_votes=DEFAULT.round_votes,
        runs=runs,
        seed=seed,
    )
    return f"## Evolution (simulated)\n\n{fill(' '.join(about.split()), 118)}\n\n{tables}\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--votes", type=int, nargs="+", default=[50, 100, 200, 400])
    parser.add_argument("--seed", type=int, default=2028)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the section into docs/benchmarks.md")
    options = parser.parse_args()
    tables = table(options.runs, tuple(sorted(options.votes)), options.seed, options.workers)
    print(tables)
    if options.write:
        page = ROOT / "docs/benchmarks.md"
        others = page.read_text(encoding="utf-8").partition("\n## Evolution")[0].rstrip("\n")
        text = section(tables, options.runs, options.seed)
        page.write_text(f"{others}\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
