"""How soon each selector finds the best prompt: every target with what was measured.

    python -m benchmarks.selection --data DIR [--quick | --full]

DIR holds public preference matrices and prompt accuracies (JSON); without it those worlds are left out.
Every cell is played in two halves of different seeds: the best rival is named by one half and met in the
other, since the best of several is partly the luckiest. Results are kept in a file as they come in, so a
run that was stopped continues where it was. Writes docs/benchmarks.md and docs/benchmarks.svg.
"""

import json
import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.peers import (
    DUELPY,
    FloatArray,
    botorch_results,
    duelpy_results,
    genie_regret,
    installed,
    read_out_regrets,
)
from benchmarks.selection_report import HALVES, Report, figure, runs_at, write_report
from benchmarks.selection_worlds import (
    BUDGETS,
    RATIO_BUDGETS,
    Cell,
    extra_cells,
    features_cell,
    selection_cells,
    stopping_cells,
)
from optimizer.simulate import Result, Scene, simulate
from optimizer.simulation.run import Terms
from optimizer.simulation.worlds import Setting

SEED = 2027
RUNS = {"quick": 20, "standard": 400, "full": 1000}


class Ledger:
    """Results by key, written to a file after each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}

    def has(self, key: str, runs: int, votes: tuple[int, ...]) -> bool:
        """Is there a row of at least so many runs, at all these budgets?"""
        row = self.rows.get(key)
        return row is not None and all(n in row["votes"] and runs_at(row, n) >= runs for n in votes)

    def add(self, key: str, row: dict[str, Any]) -> None:
        self.rows[key] = row
        self.path.write_text(json.dumps(self.rows, indent=1))


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Folder of matrices.")
@click.option("--quick", "size", flag_value="quick", help="20 runs a cell: a smoke test.")
@click.option("--full", "size", flag_value="full", help="1,000 runs a cell and more of the registry.")
@click.option("--runs", type=int, help="Runs a cell, whatever the size.")
@click.option("--minutes", type=float, default=1e9, help="Start no further cell after that long.")
@click.option("--up-to", type=int, default=500, show_default=True, help="The longest budget of votes.")
@click.option("--only", multiple=True, help="Only cells whose name begins so; repeat for several.")
@click.option("--selector", "selectors", multiple=True, help="Only these selectors; repeat for several.")
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), default=Path("benchmarks/selection.json"))
@click.option("--report/--no-report", default=True, help="Write docs/benchmarks.md and its plot.")
def main(
    data: Path | None,
    size: str | None,
    runs: int | None,
    minutes: float,
    up_to: int,
    only: tuple[str, ...],
    selectors: tuple[str, ...],
    processes: int,
    keep: Path,
    report: bool,
) -> None:
    """Measure, print and write down."""
    count = runs or RUNS[size or "standard"]
    until = time.monotonic() + 60 * minutes
    ledger = Ledger(keep)
    if data is None:
        click.echo("No --data DIR: worlds of preference matrices and prompt accuracies are left out.")
    cells = [*selection_cells(data, size == "full"), *extra_cells(), *stopping_cells()]
    for cell in cells:
        if not only or cell.name.startswith(only):
            if selectors:
                cell = replace(cell, selectors=tuple(name for name in cell.selectors if name in selectors))
            _play(cell, up_to, count, processes, until, ledger)
    if not only or "peers" in only:
        _play_peers(count, until, ledger)
    if not only or "speed" in only:
        _measure_speed(ledger)
    summary = Report(ledger.rows, SEED)
    click.echo(summary.text())
    if report:
        write_report(summary, Path("docs"))


def _play(cell: Cell, up_to: int, runs: int, processes: int, until: float, ledger: Ledger) -> None:
    terms = replace(cell.terms, votes=tuple(votes for votes in cell.terms.votes if votes <= up_to))
    for name in cell.selectors:
        for half, seed in zip(HALVES, (SEED, SEED + 1), strict=True):
            key = f"{cell.name} | {name}{half}"
            if ledger.has(key, math.ceil(runs / 2), terms.votes):
                continue
            if time.monotonic() > until:
                click.echo(f"{key}: left out, the time is up", err=True)
                continue
            begun = time.perf_counter()
            (result,) = simulate(cell.scene, [name], terms, math.ceil(runs / 2), seed, processes)
            row = _row(result, math.ceil(runs / 2), cell.scene.arms)
            ledger.add(key, joined(ledger.rows.get(key), row))
            click.echo(f"{key}: {time.perf_counter() - begun:.0f} s", err=True)


def joined(known: dict[str, Any] | None, further: dict[str, Any]) -> dict[str, Any]:
    """Two plays of a cell as one row: each budget from the play with more runs, the later one if level.

    Both start from the same seed, so the runs of the smaller play are among those of the larger one.
    """
    if known is None:
        return further
    votes = sorted({*known["votes"], *further["votes"]})
    later = [
        n for n in further["votes"] if n not in known["votes"] or runs_at(further, n) >= runs_at(known, n)
    ]
    chosen = {n: further if n in later else known for n in votes}
    row = further | {"votes": votes, "runs": max(known["runs"], further["runs"])}
    for field in ("found", "regret", "se"):
        row[field] = [figure(chosen[n], field, n) for n in votes]
    fewer = {str(n): runs_at(chosen[n], n) for n in votes if runs_at(chosen[n], n) < row["runs"]}
    return row | {"fewer": fewer}


def _row(result: Result, runs: int, arms: int) -> dict[str, Any]:
    return {
        "runs": runs,
        "arms": arms,
        "votes": list(result.votes),
        "found": result.p_best_found.tolist(),
        "regret": result.simple_regret.tolist(),
        "se": result.simple_regret_se.tolist(),
        "seconds": result.seconds_per_ask,
        "stopped": None if result.stopped is None else asdict(result.stopped),
    }


def _play_peers(runs: int, until: float, ledger: Ledger) -> None:
    """Peers with their own recommendations, and the floor where strengths are N(0, 1)."""
    scene = Scene("btl", Setting(20, 1.0, BUDGETS[-1]))
    for arms in (5, 10, 20, 50):
        key = f"btl{arms} | two-arm genie"
        if key not in ledger.rows:
            rates, regret = genie_regret(Scene("btl", Setting(arms)), BUDGETS, 20_000, SEED)
            exact = np.zeros(len(BUDGETS))
            ledger.add(key, _peer_row(arms, BUDGETS, 20_000, (1 - rates, regret, exact)))
    if "read-outs of random duels, btl20 | ours" not in ledger.rows:
        for name, figures in read_out_regrets(scene, (50, 100, 200), runs, SEED).items():
            key = f"read-outs of random duels, btl20 | {name}"
            ledger.add(key, _peer_row(20, (50, 100, 200), runs, figures))
    shipped = DUELPY if installed("duelpy") else ()
    if not shipped:
        click.echo("duelpy is not installed: pip install -r benchmarks/requirements.txt")
    for name in shipped:
        key = f"btl20 | duelpy {name}"
        if key not in ledger.rows and time.monotonic() < until:
            figures = duelpy_results(scene, name, RATIO_BUDGETS, runs, SEED)
            ledger.add(key, _peer_row(20, RATIO_BUDGETS, runs, figures))
    if not installed("botorch"):
        click.echo("BoTorch is not installed: pip install botorch, which brings torch")
        return
    cell = features_cell()
    key = f"{cell.name} | botorch PairwiseGP with EUBO"
    if key not in ledger.rows and time.monotonic() < until:
        figures = botorch_results(cell.scene, cell.terms.votes, runs, SEED)
        ledger.add(key, _peer_row(cell.scene.arms, cell.terms.votes, runs, figures))


def _peer_row(
    arms: int, votes: tuple[int, ...], runs: int, figures: tuple[FloatArray, FloatArray, FloatArray]
) -> dict[str, Any]:
    found, regret, error = (values.tolist() for values in figures)
    row = {"runs": runs, "arms": arms, "votes": list(votes), "seconds": 0.0}
    return row | {"found": found, "regret": regret, "se": error}


def _measure_speed(ledger: Ledger) -> None:
    """Seconds of one decision of auto, from counts; the least of 60, since the machine has other work."""
    from optimizer.selectors import SELECTORS
    from optimizer.selectors.base import blank_record
    from optimizer.stats.tally import FIRST, SECOND, Tally

    rng = np.random.default_rng(SEED)
    for arms in (20, 50, 100):
        for votes in (100, 10_000, 1_000_000):
            strengths = rng.normal(size=arms)
            first, second = rng.integers(arms, size=(2, 4 * arms * arms))
            distinct = first != second
            first, second = first[distinct], second[distinct]
            if votes < len(first):
                first, second = first[:votes], second[:votes]
            games = np.full(len(first), max(1, votes // len(first)))
            won = rng.binomial(games, 1 / (1 + np.exp(strengths[second] - strengths[first])))
            tally = Tally.empty(arms)
            np.add.at(tally.counts, (first, second, FIRST), won)
            np.add.at(tally.counts, (first, second, SECOND), games - won)
            points = rng.normal(size=(arms, 8))
            points /= np.linalg.norm(points, axis=1, keepdims=True)
            for label, features in (("", None), (" with embeddings", points)):
                record = blank_record(arms, tally=tally, features=features)
                times = []
                for _ in range(60):
                    begun = time.perf_counter()
                    SELECTORS["auto"].ask(record, rng)
                    times.append(time.perf_counter() - begun)
                row = {"runs": 60, "arms": arms, "votes": [votes], "seconds": min(times)}
                ledger.add(f"speed{label} | {arms} arms, {votes} votes", row)
    begun = time.perf_counter()
    simulate(Scene("btl", Setting(20)), ["auto"], Terms((200,)), 200, SEED, processes=2)
    row = {"runs": 200, "arms": 20, "votes": [200], "seconds": time.perf_counter() - begun}
    ledger.add("batch | 200 runs of 200 votes", row)


if __name__ == "__main__":
    main()
