"""``judge``: let models vote in a study. Running it again goes on where it stopped."""

import signal
import sys
from pathlib import Path

import click

from optimizer.commands.common import find_study, opened, sentences
from optimizer.generation.costs import money_text
from optimizer.judges import JUDGES, MOST_REPEATS, JudgeSettings
from optimizer.judging.plan import Plan, Seat
from optimizer.judging.progress import RunProgress, State
from optimizer.judging.run import Run
from optimizer.llm.budget import Budget

INCOMPLETE, SPENT, INTERRUPTED = 3, 4, 130
LOOK_EVERY_S = 0.2


@click.command("judge")
@click.argument("study")
@click.option(
    "--connection", "connections", multiple=True, required=True, help="Each is a judge; repeatable."
)
@click.option(
    "--duels", type=click.IntRange(1), default=100, show_default=True, help="Votes of each judge in all."
)
@click.option("--mode", type=click.Choice(list(JUDGES)), default="both_orders", show_default=True)
@click.option(
    "--repeats", type=click.IntRange(1, MOST_REPEATS), default=3, show_default=True, help="For a majority."
)
@click.option("--calibrate", type=click.IntRange(0), default=0, help="Judge so many of people's duels first.")
@click.option("--budget-calls", type=click.IntRange(0), help="Make no more calls than this.")
@click.option("--budget-tokens", type=click.IntRange(0), help="Use no more tokens than this.")
@click.option("--budget-money", type=click.FloatRange(0), help="Spend no more than this.")
@click.option("--outputs", help="The connection that generates outputs as they are needed.")
@click.option("--rubric", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A new version.")
@click.option("--to-the-end", is_flag=True, help="Do not stop when the advice is to stop.")
@click.option("--logprobs", is_flag=True, help="Ask for the model's own probabilities.")
@click.option("--preview", is_flag=True, help="Only say what it would take.")
@sentences
def judge(
    study: str,
    connections: tuple[str, ...],
    duels: int,
    mode: str,
    repeats: int,
    calibrate: int,
    budget_calls: int | None,
    budget_tokens: int | None,
    budget_money: float | None,
    outputs: str | None,
    rubric: Path | None,
    to_the_end: bool,
    logprobs: bool,
    preview: bool,
) -> None:
    """Let models vote in STUDY. Running it again goes on where it stopped.

    Exit codes: 0 done, or the votes suffice; 1 the connection failed; 3 some duels got no vote; 4 the budget
    is spent; 130 interrupted.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing paid is lost
    budget = Budget(budget_calls, budget_tokens, budget_money)
    settings = JudgeSettings(mode, repeats, logprobs=logprobs)
    with opened() as services:
        judging = services.judging
        found = find_study(services, study)
        panel = tuple(Seat(name, settings) for name in connections)
        plan = Plan(
            found.id, panel, duels, calibrate, until_advised=not to_the_end, budget=budget, outputs=outputs
        )
        most = judging.estimate(plan)
        click.echo(f"{most.votes:,} votes to cast, at most about {most.calls:,} calls.", err=True)
        if preview:
            return
        if rubric is not None:
            judging.rubrics.edit(found.id, rubric.read_text(encoding="utf-8"))
        progress = _watch(judging.start(plan))
        notes = [report.warnings for report in judging.bar.reports(found.id)]
    click.echo(_summary(progress))
    for warning in dict.fromkeys(warning for warnings in notes for warning in warnings):
        click.echo(warning, err=True)
    _leave(progress)


def _watch(run: Run) -> RunProgress:
    """Show the progress until the run ends; on Ctrl-C let the duels in flight finish or go."""
    behind = 0
    wanted = sum(judge.wanted - judge.before for judge in run.progress().judges)
    with click.progressbar(length=max(wanted, 1), label="Judging", file=sys.stderr) as bar:
        while True:
            try:
                ended = run.wait(LOOK_EVERY_S)
            except KeyboardInterrupt:
                run.cancel()
                continue
            progress = run.progress()
            bar.update(progress.votes - behind)
            behind = progress.votes
            if ended:
                return progress


def _summary(progress: RunProgress) -> str:
    parts = [f"{progress.votes:,} votes"]
    for count, word in (
        (sum(judge.moved for judge in progress.judges), "went with the position"),
        (sum(judge.undecided for judge in progress.judges), "without a majority"),
        (sum(judge.unread for judge in progress.judges), "answers not readable"),
        (sum(judge.failed for judge in progress.judges), "failed"),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    spent = progress.spent
    parts += [f"{spent.calls:,} calls", f"{spent.tokens:,} tokens"]
    if spent.money:
        parts.append(money_text(spent.money))
    return f"{', '.join(parts)}."


def _leave(progress: RunProgress) -> None:
    """The exit code that tells how it went."""
    if progress.state is State.STOPPED:
        raise click.ClickException(progress.last_error)
    if progress.state is State.ADVISED:
        click.echo("The votes suffice. 'standings' says who leads.", err=True)
    if progress.state is State.SPENT or (progress.state is State.DONE and progress.share < 1.0):
        click.echo(progress.last_error, err=True)
    code = {State.SPENT: SPENT, State.CANCELLED: INTERRUPTED}.get(progress.state, 0)
    if code == 0 and any(judge.unread or judge.failed for judge in progress.judges):
        code = INCOMPLETE
    click.get_current_context().exit(code)
