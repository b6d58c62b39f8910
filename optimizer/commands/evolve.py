"""``evolve``: duels, proposals, outputs and duels again. Running it again goes on where it stopped."""

import signal
from dataclasses import replace

import click

from optimizer.commands.common import find_study, opened, sentences
from optimizer.domain import StudyId
from optimizer.errors import NothingToPropose
from optimizer.evolution import Evolution
from optimizer.evolution.plan import Order, Plan, Votes
from optimizer.evolution.record import Phase, Record, State
from optimizer.evolution.service import Seen, unfinished
from optimizer.generation.costs import money_text
from optimizer.judges import JUDGES, JudgeSettings
from optimizer.judging.plan import Seat
from optimizer.llm.budget import NO_LIMIT, Budget
from optimizer.proposers import PROPOSERS
from optimizer.proposers.controller import Controller
from optimizer.proposers.dials import DIALS, Dial

WAITING, SPENT, INTERRUPTED = 3, 4, 130
LOOK_EVERY_S = 0.2


@click.command("evolve")
@click.argument("study")
@click.option("--proposer", type=click.Choice(list(PROPOSERS)), default="from_reasons", show_default=True)
@click.option("--writer", default="", help="The connection that writes proposals.")
@click.option("--judge", "judges", multiple=True, help="A connection that votes; repeatable.")
@click.option("--mode", type=click.Choice(list(JUDGES)), default="both_orders", show_default=True)
@click.option("--people", is_flag=True, help="People's votes count, too; without a judge, they alone.")
@click.option("--outputs", default="", help="The connection that generates outputs.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="How often to propose.")
@click.option("--votes", type=click.IntRange(1), default=12, show_default=True, help="Of a round, at most.")
@click.option("--children", type=click.IntRange(1), default=3, show_default=True, help="Proposals a round.")
@click.option("--pool", type=click.IntRange(3), default=8, show_default=True, help="Prompts in use at most.")
@click.option("--child-inputs", type=click.IntRange(1), default=8, show_default=True, help="For its outputs.")
@click.option("--patience", type=click.IntRange(0), default=3, show_default=True,
              help="Rounds without a new leader until it stops; 0: never.")  # fmt: skip
@click.option("--accept-unseen", is_flag=True, help="Proposals that pass every check enter the pool unseen.")
@click.option("--dial", type=click.Choice(list(DIALS)), help="What 'control' turns.")
@click.option("--target", type=float, help="The dial's set point.")
@click.option("--band", type=float, help="How far from it is near enough.")
@click.option("--controller", type=click.Choice(list(Controller)), default="PI", show_default=True)
@click.option("--budget-calls", type=click.IntRange(0), help="Make no more calls than this, in all.")
@click.option("--budget-tokens", type=click.IntRange(0), help="Use no more tokens than this.")
@click.option("--budget-money", type=click.FloatRange(0), help="Spend no more than this.")
@click.option("--new", is_flag=True, help="Begin another run although one is unfinished.")
@click.option("--preview", is_flag=True, help="Only say what the first proposals would take.")
@sentences
def evolve(
    study: str,
    proposer: str,
    writer: str,
    judges: tuple[str, ...],
    mode: str,
    people: bool,
    outputs: str,
    rounds: int,
    votes: int,
    children: int,
    pool: int,
    child_inputs: int,
    patience: int,
    accept_unseen: bool,
    dial: str | None,
    target: float | None,
    band: float | None,
    controller: str,
    budget_calls: int | None,
    budget_tokens: int | None,
    budget_money: float | None,
    new: bool,
    preview: bool,
) -> None:
    """Let the pool of STUDY improve: duels, proposals, outputs, duels again.

    Running it again goes on with the run that is unfinished; of the options only a budget counts then.

    Exit codes: 0 done, or the advice is to stop; 1 a fault; 3 proposals wait for a person; 4 the budget is
    spent; 130 interrupted.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing paid is lost
    budget = Budget(budget_calls, budget_tokens, budget_money)
    whose = Votes.PEOPLE if not judges else Votes.BOTH if people else Votes.JUDGES
    with opened() as services:
        found = find_study(services, study)
        seats = tuple(Seat(name, JudgeSettings(mode)) for name in judges)
        plan = Plan(
            found.id, proposer, writer, seats, outputs, whose, rounds, votes, children, accept_unseen, pool,
            child_inputs, patience, budget=budget, dial=_dial(dial, target, band, controller),
        )  # fmt: skip
        evolution = services.evolution
        if preview:
            _preview(evolution, plan.order("", 0, children))
            return
        left = None if new else unfinished(evolution.runs(found.id))
        if left is None:
            run = evolution.start(plan)
        else:
            click.echo(f"Going on with the run of {left.began:%Y-%m-%d %H:%M}, round {left.round}.", err=True)
            run = evolution.resume(left.id, budget=None if budget == NO_LIMIT else budget)
        before = 0 if left is None else len(left.news)
        record, waits = _watch(evolution, run, before)
        click.echo(_summary(services.evolution, record, found.id))
    _leave(record, waits)


def _dial(kind: str | None, target: float | None, band: float | None, controller: str) -> Dial | None:
    """The dial with its usual set point and band where none were given."""
    if kind is None:
        return None
    about = DIALS[kind]
    return Dial(
        kind, about.usual if target is None else target, about.band if band is None else band, controller
    )


def _preview(evolution: Evolution, order: Order) -> None:
    try:
        most = evolution.estimate(order)
    except NothingToPropose as error:
        click.echo(f"Nothing could be proposed now: {error}", err=True)
        return
    money = "" if most.money is None else f", about {money_text(most.money)}"
    click.echo(
        f"{most.proposals} proposals: {most.calls} calls, about {most.tokens:,} tokens{money}.", err=True
    )


def _watch(evolution: Evolution, run: str, told: int) -> tuple[Record, bool]:
    """Tell the news as they come until the run ends, or waits for a person, who is not here."""
    while True:
        try:
            ended = evolution.wait(run, LOOK_EVERY_S)
        except KeyboardInterrupt:
            evolution.cancel(run)
            continue
        seen: Seen = evolution.run(run)
        record = seen.record
        for news in record.news[told:]:
            click.echo(f"Round {news.round}: {news.text}", err=True)
        told = len(record.news)
        if ended:
            return record, False
        if record.phase is Phase.REVIEW:
            evolution.cancel(run)
            evolution.wait(run)
            return replace(evolution.run(run).record, phase=Phase.REVIEW), True


def _summary(evolution: Evolution, record: Record, study: StudyId) -> str:
    """One line for the output: rounds, proposals, what it took, and how the leader stands."""
    offers = evolution.offers.all(study, record.id)
    parts = [f"{record.round} rounds", f"{len(offers)} proposals", f"{len(record.retired)} prompts retired"]
    parts += [f"{record.spent.calls:,} calls", f"{record.spent.tokens:,} tokens"]
    if record.spent.money:
        parts.append(money_text(record.spent.money))
    if record.points:
        last = record.points[-1]
        parts.append(
            f"the leader beats the first prompt with a chance of {last.chance:.0%} "
            f"({last.low:.0%} to {last.high:.0%})"
        )
    return f"{', '.join(parts)}."


def _leave(record: Record, waits: bool) -> None:
    """The exit code that tells how it went."""
    if waits:
        click.echo("Proposals wait for you on the screen Evolve; run this again afterwards.", err=True)
        click.get_current_context().exit(WAITING)
    if record.state is State.STOPPED:
        raise click.ClickException(record.error)
    if record.state is State.SPENT:
        click.echo(record.error, err=True)
    code = {State.SPENT: SPENT, State.CANCELLED: INTERRUPTED}.get(record.state, 0)
    click.get_current_context().exit(code)
