"""The standings at equal length: is the winner better, or merely longer?

The length of an output enters the model as a covariate (Dubois et al. 2024, "Length-controlled
AlpacaEval"): what an output gains by being longer than its opponent is estimated beside the strengths,
which are then those of outputs of equal length.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from optimizer.counted import MOST_INPUTS, Counted
from optimizer.domain import Input, Prompt
from optimizer.reports.facts import Fair, Lengths
from optimizer.stats.readouts import p_best, strengths

DRAWS = 4000
FEWEST = 10  # votes; before that the pull of length cannot be told from noise
USUAL = 400.0  # characters, for an input where a prompt has no output


def fair_of(
    votes: Counted,
    arms: Sequence[Prompt],
    inputs: Sequence[Input],
    lengths: Lengths,
    winner: Prompt,
    seed: int,
) -> Fair | None:
    """None with too few votes, or where no output has a length."""
    if votes.n < FEWEST or not lengths:
        return None
    logs = _log_lengths(arms, inputs, lengths)
    kept = np.arange(len(inputs))
    if len(inputs) > MOST_INPUTS:  # those that were voted on most; all of them would take minutes
        kept = np.sort(
            np.argsort(-np.bincount(votes.input, minlength=len(inputs)), kind="stable")[:MOST_INPUTS]
        )
        votes = votes.on_inputs(kept)
    fit = votes.at_equal_length(logs[kept] / np.log(2.0))
    posterior = fit.posterior
    estimate = strengths(posterior)
    active = [i for i, prompt in enumerate(arms) if prompt.retired_at is None]
    draws = posterior.draws(DRAWS, np.random.default_rng([seed, votes.n]))[:, active]
    best = dict(zip((arms[i].id for i in active), p_best(draws), strict=True))
    means: Mapping[str, float] = {p.id: float(np.exp(logs[:, i].mean())) for i, p in enumerate(arms)}
    others = [means[arms[i].id] for i in active if arms[i].id != winner.id]
    return Fair(
        {
            p.id: (float(estimate.value[i]), float(estimate.low[i]), float(estimate.high[i]))
            for i, p in enumerate(arms)
        },
        {id: float(chance) for id, chance in best.items()},
        arms[active[int(np.argmax(posterior.mean[active]))]],
        fit.length,
        fit.length_sd,
        means[winner.id],
        float(np.mean(others)) if others else means[winner.id],
        votes.n,
    )


def _log_lengths(arms: Sequence[Prompt], inputs: Sequence[Input], lengths: Lengths) -> np.ndarray:
    """(inputs, arms) log characters; where there is no output, the prompt's own mean stands in."""
    table = np.full((len(inputs), len(arms)), np.nan)
    arm = {prompt.id: i for i, prompt in enumerate(arms)}
    column = {row.id: x for x, row in enumerate(inputs)}
    for (prompt, row), length in lengths.items():
        table[column[row], arm[prompt]] = np.log(max(length, 1.0))
    known = ~np.isnan(table)
    count = known.sum(0)
    means = np.where(count > 0, np.where(known, table, 0.0).sum(0) / np.maximum(count, 1), np.log(USUAL))
    return np.where(known, table, means)
