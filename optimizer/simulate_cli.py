"""``python -m optimizer simulate``: selectors against raters whose preferences are known."""

import json
import math
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from optimizer.errors import BadInput, PromptDuelError
from optimizer.selectors import SELECTORS, Need
from optimizer.simulate import Result, Scene, passes
from optimizer.simulate import simulate as play_all
from optimizer.simulation.files import read_accuracies, read_matrix
from optimizer.simulation.run import ReadOut, Recommend, Terms
from optimizer.simulation.worlds import ACCURACY, DRAWN, LOGITS, WIN_PROBABILITY, Setting

UNIT_OF_COST = "win probability lost against the best arm, summed over the duels so far"
PLAIN_WORLDS = {"btl", "lapses", "cyclic", "drift", "features", "features_nonlinear", "matrix", "accuracies"}
MOST_ARMS, MOST_VOTES, MOST_RUNS, MOST_SPREAD = 2_000, 1_000_000, 100_000, 100
MOST_STEPS = 50_000_000  # of all strengths in a world that drifts: they are drawn before the first vote


class Checkpoints(click.ParamType[tuple[int, ...]]):
    """Numbers of votes: whole, positive, separated by commas."""

    name = "numbers"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            votes = tuple(sorted({int(part) for part in value.split(",")}))
        except ValueError:
            self.fail(f"'{value}' is not a list of whole numbers such as 20,50,100.", param, ctx)
        if votes[0] < 1:
            self.fail("Numbers of votes start at 1.", param, ctx)
        if votes[-1] > MOST_VOTES:
            self.fail(f"Numbers of votes end at {MOST_VOTES:,}.", param, ctx)
        return votes


class RealRange(click.FloatRange):
    """A number of the range. ``nan``, which is not below nor above anything, is in none."""

    def convert(self, value: float, param: click.Parameter | None, context: click.Context | None) -> float:
        number = float(super().convert(value, param, context))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, context)
        return number


@click.command("simulate")
@click.option(
    "--world",
    "world",
    type=click.Choice([*DRAWN, "matrix", "accuracies"]),
    default="btl",
    show_default=True,
    help="Where preferences come from.",
)
@click.option(
    "--arms", type=click.IntRange(2, MOST_ARMS), default=20, show_default=True, help="Prompts that compete."
)
@click.option(
    "--spread",
    type=RealRange(0, MOST_SPREAD, min_open=True),
    default=1.0,
    show_default=True,
    help="sd, logits.",
)
@click.option("--matrix", type=click.Path(path_type=Path), help="World 'matrix': JSON with key P, or CSV.")
@click.option("--accuracies", type=click.Path(path_type=Path), help="World 'accuracies': measured prompts.")
@click.option("--task", help="World 'accuracies': which task.")
@click.option("--model", help="World 'accuracies': which model.")
@click.option(
    "--vote-noise",
    type=click.Choice(["mid", "soft", "sharp"]),
    default="mid",
    show_default=True,
    help="World 'accuracies': lapsing raters, single examples, or nearly no noise.",
)
@click.option(
    "--selector", "selectors", multiple=True, default=["auto"], show_default=True, help="Repeat for several."
)
@click.option("--votes", type=Checkpoints(), default="20,50,100,200,500", show_default=True, help="Budgets.")
@click.option("--runs", type=click.IntRange(1, MOST_RUNS), default=200, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--recommend",
    type=click.Choice([word.value for word in Recommend]),
    default=Recommend.POSTERIOR.value,
    show_default=True,
    help="Whose recommendation is judged; 'own' is the selector's where it has one.",
)
@click.option(
    "--read-out",
    type=click.Choice([word.value for word in ReadOut]),
    help="Model that recommends: strengths with pair effects, or also position, inputs and answer "
    "levels. By default the one that the world calls for.",
)
@click.option(
    "--stop-at",
    type=RealRange(0.5, 1),
    default=0.95,
    show_default=True,
    help="Confidence at which a run would stop; it looks after every vote.",
)
@click.option("--never-stop", is_flag=True, help="Leave stopping out, which halves the time.")
@click.option(
    "--in-flight", type=click.IntRange(1), default=1, show_default=True, help="Duels open at a time."
)
@click.option(
    "--audit-share",
    type=RealRange(0, 1),
    default=0.0,
    show_default=True,
    help="Duels drawn uniformly. A study draws 10 %; 0 compares selectors alone.",
)
@click.option("--graded", is_flag=True, help="Raters also say whether clearly or slightly.")
@click.option("--processes", type=click.IntRange(1), help="By default one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def simulate(
    world: str,
    arms: int,
    spread: float,
    matrix: Path | None,
    accuracies: Path | None,
    task: str | None,
    model: str | None,
    vote_noise: str,
    selectors: tuple[str, ...],
    votes: tuple[int, ...],
    runs: int,
    seed: int,
    recommend: str,
    read_out: str | None,
    stop_at: float,
    never_stop: bool,
    in_flight: int,
    audit_share: float,
    graded: bool,
    processes: int | None,
    as_json: bool,
) -> None:
    """Play selectors against simulated raters and judge what they recommend.

    Everything but the seconds is determined by the seed, whatever the number of processes.
    """
    try:
        _check_selectors(selectors, world)
        setting = Setting(arms, spread, votes[-1], graded=graded)
        scene = _scene(world, setting, matrix, accuracies, task, model, vote_noise)
        plain = world in PLAIN_WORLDS and not graded
        terms = Terms(
            votes,
            Recommend(recommend),
            ReadOut(read_out) if read_out else (ReadOut.PAIRS if plain else ReadOut.FULL),
            None if never_stop else stop_at,
            in_flight,
            audit_share,
        )
        workers = processes or os.cpu_count() or 1
        length = runs * passes(selectors, terms)
        with click.progressbar(length=length, label="Playing", file=sys.stderr) as bar:
            results = play_all(scene, selectors, terms, runs, seed, workers, bar.update)
    except PromptDuelError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(_document(world, scene, terms, runs, seed, results), allow_nan=False))
    else:
        click.echo(_table(scene, results))


def _check_selectors(selectors: tuple[str, ...], world: str) -> None:
    for name in selectors:
        if name not in SELECTORS:
            raise BadInput(f"There is no selector '{name}'. There are: {', '.join(SELECTORS)}.")
        needs = SELECTORS[name].needs
        if Need.SCORES in needs:
            raise BadInput(f"'{name}' needs numeric scores of outputs, which simulated votes do not give.")
        if Need.FEATURES in needs and not world.startswith("features"):
            raise BadInput(f"'{name}' needs embeddings, which only the worlds 'features...' have.")


def _scene(
    world: str,
    setting: Setting,
    matrix: Path | None,
    accuracies: Path | None,
    task: str | None,
    model: str | None,
    vote_noise: str,
) -> Scene:
    for option, value, reader in (
        ("--matrix", matrix, "matrix"),
        ("--accuracies", accuracies, "accuracies"),
        ("--task", task, "accuracies"),
        ("--model", model, "accuracies"),
    ):
        if value is not None and world != reader:
            raise BadInput(
                f"The world '{world}' does not read {option}: leave it out or choose --world {reader}."
            )
    if world == "drift" and setting.arms * setting.votes > MOST_STEPS:
        raise BadInput(f"The world 'drift' takes at most {MOST_STEPS:,} of --arms times --votes.")
    if world == "matrix":
        if matrix is None:
            raise BadInput("The world 'matrix' needs --matrix FILE.")
        return Scene(world, setting, matrix=read_matrix(matrix))
    if world == "accuracies":
        if accuracies is None:
            raise BadInput("The world 'accuracies' needs --accuracies FILE.")
        accuracy = read_accuracies(accuracies, task or "", model or "")
        return Scene(world, setting, accuracies=accuracy, vote_noise=vote_noise)
    return Scene(world, setting)


def _unit(scene: Scene) -> str:
    if scene.matrix is not None or scene.name == "cyclic":
        return WIN_PROBABILITY
    return ACCURACY if scene.accuracies is not None else LOGITS


def _document(
    world: str, scene: Scene, terms: Terms, runs: int, seed: int, results: list[Result]
) -> dict[str, object]:
    return {
        "world": world,
        "runs": runs,
        "seed": seed,
        "arms": scene.arms,
        "spread": scene.setting.spread,
        "recommend": terms.recommend.value,
        "read_out": terms.read_out.value,
        "in_flight": terms.in_flight,
        "audit_share": terms.audit_share,
        "stop_at": terms.stop_at,
        "units": {"simple_regret": _unit(scene), "weak_regret": UNIT_OF_COST, "strong_regret": UNIT_OF_COST},
        "results": [_row(result) for result in results],
    }


def _row(result: Result) -> dict[str, object]:
    """One selector's results; a single run has no standard error, which is null."""
    stopped = result.stopped
    return {
        "selector": result.selector,
        "votes": list(result.votes),
        "p_best_found": result.p_best_found.tolist(),
        "simple_regret": result.simple_regret.tolist(),
        "simple_regret_se": [
            None if math.isnan(error) else error for error in result.simple_regret_se.tolist()
        ],
        "weak_regret": result.weak_regret.tolist(),
        "strong_regret": result.strong_regret.tolist(),
        "seconds_per_ask": result.seconds_per_ask,
        "stopped": None if stopped is None else asdict(stopped),
    }


def _table(scene: Scene, results: list[Result]) -> str:
    lines = [f"Simple regret, in {_unit(scene)} (in brackets: share of runs that found the best arm)"]
    lines.append(f"{'votes':20}" + "".join(f"{votes:>16}" for votes in results[0].votes))
    for result in results:
        cells = zip(result.simple_regret, result.p_best_found, strict=True)
        lines.append(
            f"{result.selector:20}" + "".join(f"{regret:>10.4f} ({found:.2f})" for regret, found in cells)
        )
    return "\n".join(lines)
