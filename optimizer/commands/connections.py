"""Commands about connections to model servers. Keys are no part of them."""

import json
from dataclasses import asdict, replace

import click

from optimizer.commands.common import opened, sentences
from optimizer.domain import Connection
from optimizer.llm.keys import key_variable


@click.command("connections")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sentences
def list_connections(as_json: bool) -> None:
    """List the connections to model servers."""
    with opened() as services:
        known = services.connections.all()
        keyed = [connection.name for connection in known if services.connections.has_key(connection)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in known], default=str, ensure_ascii=False, indent=1))
        return
    for one in known:
        key = "has a key" if one.name in keyed else f"no key; set {key_variable(one.name)} if it needs one"
        click.echo(f"{one.name}: {one.model} at {one.server} ({key})")


@click.command("connect")
@click.argument("name")
@click.option("--server", help="Address, such as https://api.openai.com/v1. A new connection needs it.")
@click.option("--model", help="Model, as the server calls it. A new connection needs it.")
@click.option("--temperature", type=float)
@click.option("--max-tokens", type=int, help="Longest answer, in tokens.")
@click.option("--input-price", type=float, help="Per million tokens sent.")
@click.option("--output-price", type=float, help="Per million tokens received.")
@click.option("--concurrency", type=int, help="Calls at once.")
@click.option("--requests-per-minute", type=int)
@click.option("--tokens-per-minute", type=int)
@click.option("--timeout-s", type=float, help="Seconds until a call is given up.")
@click.option("--test", is_flag=True, help="Make one short call and show the answer.")
@sentences
def connect(
    name: str,
    server: str | None,
    model: str | None,
    temperature: float | None,
    max_tokens: int | None,
    input_price: float | None,
    output_price: float | None,
    concurrency: int | None,
    requests_per_minute: int | None,
    tokens_per_minute: int | None,
    timeout_s: float | None,
    test: bool,
) -> None:
    """Keep a connection to a model server, or change the one called NAME.

    Its key is never stored: set PROMPT_DUEL_KEY_<NAME>, or OPENAI_API_KEY for api.openai.com.
    """
    given = {
        "server": server,
        "model": model,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "input_price": input_price,
        "output_price": output_price,
        "concurrency": concurrency,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "timeout_s": timeout_s,
    }
    with opened() as services:
        known = {connection.name: connection for connection in services.connections.all()}
        before = known.get(name, Connection(name, "", ""))
        changes = {field: value for field, value in given.items() if value is not None}
        connection = replace(before, **changes)  # type: ignore[arg-type]
        services.connections.put(connection)
        click.echo(f"{name}: {connection.model} at {connection.server}")
        if test:
            trial = services.connections.test(connection)
            click.echo(f"{trial.model} answered in {trial.latency_ms:.0f} ms: {trial.text}")
