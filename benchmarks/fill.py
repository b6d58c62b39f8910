"""Make a database whose study has 20 prompts, 50 inputs and any number of votes: for measuring.

    python -m benchmarks.fill FOLDER --votes 100000 --seed 1

Votes come from a simulated rater with known strengths (Bradley-Terry); they are random numbers, and the
outputs are filler text. Only for benchmarks.
"""

import argparse
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from optimizer.domain import (
    ANSWERS,
    Batch,
    Duel,
    DuelId,
    Input,
    InputId,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Study,
    StudyId,
    Vote,
    VoteId,
    utc_now,
)

ARMS, INPUTS = 20, 50
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "nobody",
    "looks",
    "at",
    "the",
    "clock",
    "on",
    "the",
    "wall",
]
GOOD, FIRST, SECOND = 3, 1, 6  # positions in ANSWERS


def text(seed: int) -> str:
    """120 words."""
    return f"output {seed} " + " ".join(WORDS[(seed + i * (1 + seed % 5)) % len(WORDS)] for i in range(120))


def batch(votes: int, seed: int, arms: int = ARMS, inputs_: int = INPUTS, people: int = 1) -> Batch:
    """The whole study, ready to be stored."""
    rng = np.random.default_rng(seed)
    now = utc_now()
    study = Study(StudyId("bench"), "Benchmark", "Which filler reads best?", seed=seed, created_at=now)
    prompts = [
        Prompt(PromptId(f"p{i}"), study.id, f"Prompt {i}", f"Write {i} {{{{topic}}}}") for i in range(arms)
    ]
    inputs = [
        Input(InputId(f"x{x}"), study.id, {"topic": f"topic {x}"}, (f"tag{x % 3}",)) for x in range(inputs_)
    ]
    outputs = [
        Output(OutputId(f"o{i}-{x}"), study.id, PromptId(f"p{i}"), InputId(f"x{x}"), text(i * inputs_ + x))
        for i in range(arms)
        for x in range(inputs_)
    ]
    raters = [Rater(RaterId(f"simulated{n or ''}"), study.id, f"Simulated rater {n}") for n in range(people)]
    strengths = rng.normal(0, 1, arms)
    duels, cast = [], []
    for n in range(votes):
        i, j = (int(arm) for arm in rng.choice(arms, 2, replace=False))
        x = int(rng.integers(inputs_))
        at = now - timedelta(seconds=votes - n)
        rater = raters[n % people]
        duel = Duel(
            DuelId(f"d{n}"),
            study.id,
            InputId(f"x{x}"),
            OutputId(f"o{i}-{x}"),
            OutputId(f"o{j}-{x}"),
            PromptId(f"p{i}"),
            PromptId(f"p{j}"),
            rater.id,
            "random",
            "benchmark",
            False,
            at,
            at + timedelta(1),
        )
        won = rng.random() < 1 / (1 + np.exp(strengths[j] - strengths[i]))
        answer = GOOD if rng.random() < 0.1 else FIRST if won else SECOND
        outcome, grade = ANSWERS[answer]
        duels.append(replace(duel, closed_at=at))
        cast.append(Vote(VoteId(f"v{n}"), study.id, duel.id, rater.id, outcome, at, grade))
    return Batch([study], prompts, inputs, outputs, raters, duels, cast)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path)
    options.add_argument("--votes", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    os.environ["PROMPT_DUEL_DATA_DIR"] = str(chosen.folder)
    from optimizer.assemble import services

    running = services()
    for study in running.store.studies():  # the samples that an empty database starts with
        running.studies.archive(study.id)
    running.store.add(batch(chosen.votes, chosen.seed))
    running.close()


if __name__ == "__main__":
    main()
