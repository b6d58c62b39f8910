"""The command that says who leads."""

import json
from dataclasses import asdict

import click

from optimizer.commands.common import filtered, find_study, opened, sentences, vote_filter
from optimizer.domain import Study
from optimizer.formats.base import told
from optimizer.standings import Row, Standings


@click.command("standings")
@click.argument("study")
@filtered
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sentences
def show_standings(
    study: str,
    raters: tuple[str, ...],
    tags: tuple[str, ...],
    kind: str | None,
    audit_only: bool,
    as_json: bool,
) -> None:
    """How the prompts of STUDY compare so far, how sure that is, and whether to stop."""
    with opened() as services:
        found = find_study(services, study)
        chosen = vote_filter(services, found, raters, tags, kind, audit_only)
        standings = services.results.standings(found, chosen)
    if as_json:
        click.echo(json.dumps(standings_json(found, standings), ensure_ascii=False, indent=1))
        return
    click.echo(f"{found.name}: {told(standings.votes, 'vote')} by {told(standings.raters, 'rater')}")
    width = max((len(row.prompt.name) for row in standings.rows), default=0)
    click.echo(f"{'prompt':<{width}}  strength  (90 %)           P(best)  ranks  beats pool  duels")
    for row in standings.rows:
        ranks = f"{row.rank_low}-{row.rank_high}"
        click.echo(
            f"{row.prompt.name:<{width}}  {row.strength:+8.2f}  ({row.low:+.2f} to {row.high:+.2f})  "
            f"{row.p_best:7.0%}  {ranks:>5}  {row.chance:10.0%}  {row.duels:5}"
        )
    if standings.advice is not None and standings.votes:
        click.echo(advice_sentence(standings))


def advice_sentence(standings: Standings) -> str:
    assert standings.advice is not None
    return standings.advice.sentence([prompt.name for prompt in standings.active])


def standings_json(study: Study, standings: Standings) -> dict[str, object]:
    """The table as a program reads it; rates without duels are null."""
    advice = standings.advice
    return {
        "study": {"id": study.id, "name": study.name},
        "votes": standings.votes,
        "skips": standings.skips,
        "human_votes": standings.human_votes,
        "judge_votes": standings.judge_votes,
        "raters": standings.raters,
        "p_cycle": standings.p_cycle,
        "circle": list(standings.circle),
        "advice": advice
        and {
            "kind": advice.kind,
            "sentence": advice_sentence(standings),
            "p_best": advice.p_best,
            "more_votes": advice.more_votes,
        },
        "prompts": [row_json(row) for row in standings.rows],
    }


def row_json(row: Row) -> dict[str, object]:
    fields = {name: value for name, value in asdict(row).items() if name != "prompt"}
    return {
        "id": row.prompt.id,
        "name": row.prompt.name,
        "retired": row.prompt.retired_at is not None,
        **fields,
        "duels": row.duels,
        "observed": row.observed if row.duels else None,
    }
