"""A simulation in a process of its own, and what passes between the two: one JSON object to a line.

The situation goes in; out come the numbers of runs that are done, and at the end the results. People who
vote meanwhile do not wait for it, and giving it up is ending the process.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from optimizer.errors import PromptDuelError
from optimizer.lab.situation import Situation
from optimizer.simulate import Result, simulate

ROOT = Path(__file__).resolve().parents[2]
LOOK_EVERY_S = 0.2
CURVES = ("p_best_found", "simple_regret", "simple_regret_se", "weak_regret", "strong_regret")


class GivenUp(Exception):
    """Nobody wants the results any more."""


class SimulationFailed(PromptDuelError):
    """The process ended without results."""


def aside(situation: Situation, tick: Callable[[int], None], given_up: threading.Event) -> list[Result]:
    """Simulate in another process; ``tick`` is told of more runs done. Raises ``GivenUp``."""
    command = [sys.executable, "-m", "optimizer.lab.worker"]
    # The command is ours alone.
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        threading.Thread(target=_end_with, args=(process, given_up), name="lab", daemon=True).start()
        try:
            with suppress(BrokenPipeError):  # given up before it began
                process.stdin.write(json.dumps(asdict(situation)) + "\n")
                process.stdin.close()
            for line in process.stdout:
                told = json.loads(line)
                if "results" in told:
                    return [_read(one) for one in told["results"]]
                tick(int(told["done"]))
        finally:
            process.kill()
    if given_up.is_set():
        raise GivenUp
    raise SimulationFailed("The simulation ended before it was done. Try again with fewer prompts or votes.")


def _end_with(process: "subprocess.Popen[str]", given_up: threading.Event) -> None:
    """End the process as soon as nobody wants its results."""
    while process.poll() is None:
        if given_up.wait(LOOK_EVERY_S):
            process.kill()


def here(situation: Situation, tick: Callable[[int], None], given_up: threading.Event) -> list[Result]:
    """The same in this process: for the worker, and for tests."""

    def told(more: int) -> None:
        if given_up.is_set():
            raise GivenUp
        tick(more)

    return simulate(
        situation.scene,
        situation.selectors,
        situation.terms,
        situation.runs,
        situation.seed,
        tick=told,
        most_at_once=1,
    )


def written(result: Result) -> dict[str, object]:
    """For the way out."""
    curves = {name: _numbers(getattr(result, name)) for name in CURVES}
    return {"selector": result.selector, "votes": list(result.votes), **curves}


def _numbers(values: Sequence[float]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _read(told: dict[str, object]) -> Result:
    curves = {name: np.array(told[name], dtype=np.float64) for name in CURVES}
    votes = told["votes"]
    assert isinstance(votes, list)
    return Result(
        selector=str(told["selector"]), votes=tuple(votes), seconds_per_ask=0.0, stopped=None, **curves
    )
