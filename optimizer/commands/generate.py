"""``generate``: fill a study's outputs from a live model. Running it again goes on where it stopped."""

import signal
import sys

import click

from optimizer.commands.common import find_study, opened, sentences
from optimizer.generation.cells import Order
from optimizer.generation.costs import money_text
from optimizer.generation.job import Progress, Running, State
from optimizer.llm.budget import Budget

INCOMPLETE, SPENT, INTERRUPTED = 3, 4, 130
LOOK_EVERY_S = 0.2
REASONS_SHOWN = 5


@click.command("generate")
@click.argument("study")
@click.option("--connection", required=True, help="Its name; 'connections' lists them.")
@click.option("--samples", type=click.IntRange(1, 100), default=1, show_default=True, help="Of each output.")
@click.option("--budget-calls", type=click.IntRange(0), help="Make no more calls than this.")
@click.option("--budget-tokens", type=click.IntRange(0), help="Use no more tokens than this.")
@click.option("--budget-money", type=click.FloatRange(0), help="Spend no more than this.")
@click.option("--retry", is_flag=True, help="Ask again where nothing came back that could be shown.")
@click.option("--accept-truncated", is_flag=True, help="Let answers cut off at max_tokens into duels.")
@click.option(
    "--bulk", is_flag=True, help="Send all as one batch; cheaper at some servers, takes up to a day."
)
@click.option("--preview", is_flag=True, help="Only say what it would take.")
@sentences
def generate(
    study: str,
    connection: str,
    samples: int,
    budget_calls: int | None,
    budget_tokens: int | None,
    budget_money: float | None,
    retry: bool,
    accept_truncated: bool,
    bulk: bool,
    preview: bool,
) -> None:
    """Generate the outputs that STUDY lacks. Running it again goes on where it stopped.

    Exit codes: 0 every output is there; 1 the connection failed; 3 some outputs failed or are held back;
    4 the budget is spent; 130 interrupted.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing paid is lost
    budget = Budget(budget_calls, budget_tokens, budget_money)
    with opened() as services:
        found = find_study(services, study)
        order = Order(
            found.id,
            connection,
            samples,
            budget=budget,
            retry=retry,
            accept_truncated=accept_truncated,
            bulk=bulk,
        )
        click.echo(services.generation.preview(order).sentence, err=True)
        if preview:
            return
        progress = _watch(services.generation.start(order))
    click.echo(_summary(progress))
    for reason in dict.fromkeys(reason for _, reason in progress.failures[:REASONS_SHOWN]):
        click.echo(reason, err=True)
    _leave(progress)


def _watch(job: Running) -> Progress:
    """Show the progress until the job ends; on Ctrl-C let the calls in flight finish."""
    behind = 0
    with click.progressbar(length=job.progress().total, label="Generating", file=sys.stderr) as bar:
        while True:
            try:
                ended = job.wait(LOOK_EVERY_S)
            except KeyboardInterrupt:
                job.cancel()
                continue
            progress = job.progress()
            bar.update(progress.done + progress.failed - behind)
            behind = progress.done + progress.failed
            if ended:
                return progress


def _summary(progress: Progress) -> str:
    spent = progress.spent
    parts = [f"{progress.done:,} of {progress.total:,} outputs"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.held:
        parts.append(f"{progress.held:,} held back")
    parts.append(f"{spent.calls:,} calls")
    parts.append(f"{spent.tokens:,} tokens")
    if spent.money:
        parts.append(money_text(spent.money))
    return ", ".join(parts) + "."


def _leave(progress: Progress) -> None:
    """The exit code that tells how it went."""
    if progress.state is State.STOPPED:
        raise click.ClickException(progress.last_error)
    code = {State.SPENT: SPENT, State.CANCELLED: INTERRUPTED}.get(progress.state, 0)
    if progress.state is State.SPENT:
        click.echo(progress.last_error, err=True)
    if code == 0 and (progress.failed or progress.held):
        code = INCOMPLETE
    click.get_current_context().exit(code)
