"""``worker``: does the background work of all replicas on one database."""

import asyncio

import click
from prometheus_client import start_http_server

from optimizer.commands.common import opened, sentences
from optimizer.errors import BadInput
from optimizer.logs import configure


@click.command("worker")
@click.option("--at-once", type=click.IntRange(1, 64), default=4, show_default=True, help="Tasks at a time.")
@click.option(
    "--dead-after",
    type=click.FloatRange(1),
    default=30.0,
    show_default=True,
    help="Seconds without a sign of life after which another worker's tasks are taken over.",
)
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Answer Prometheus on this port.")
@sentences
def worker(at_once: int, dead_after: float, metrics_port: int | None) -> None:
    """Generate, judge and evolve what the screens ask for, until SIGTERM or Ctrl-C.

    Needs PROMPT_DUEL_DATABASE_URL=postgresql://... and PROMPT_DUEL_WORK=queue, and the keys of the
    connections in its environment. Run as many as you like: the limits of a connection hold over all of
    them together. What a stopped worker had in hand, others go on with.
    """
    with opened() as services:
        configure(services.config.json_logs)
        if metrics_port is not None:
            start_http_server(metrics_port)
        if not services.config.queued:
            raise BadInput(
                "Workers need a queue. Set PROMPT_DUEL_WORK=queue and a PROMPT_DUEL_DATABASE_URL "
                "of postgresql://, here and for the server."
            )
        from optimizer.work.postgres_queue import run_worker

        click.echo(f"Waiting for work, {at_once} tasks at a time.", err=True)
        asyncio.run(run_worker(services.config.database_url, services.foreman, at_once, dead_after))
