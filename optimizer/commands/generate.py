"""Commands about live models: their connections, and filling a study's outputs from one."""

import sys
from collections.abc import Callable

import click

from optimizer.commands.common import find_study, opened, sentences
from optimizer.connections import Connections
from optimizer.domain import Connection
from optimizer.errors import NotFound
from optimizer.generation.cells import Order
from optimizer.generation.costs import money_text
from optimizer.generation.job import Job, Progress, State
from optimizer.llm.budget import Budget

INCOMPLETE, SPENT, INTERRUPTED = 3, 4, 130
LOOK_EVERY_S = 0.2


@click.command("connect")
@click.argument("name")
@click.option("--server", help="Address, such as https://api.openai.com/v1. Needed for a new one.")
@click.option("--model", help="Model, as the server calls it. Needed for a new one.")
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
def connect(name: str, test: bool, **given: str | float | int | None) -> None:
    """Keep a connection to a model server, or change the one called NAME.

    Its key is never stored: set PROMPT_DUEL_KEY_<NAME>, or OPENAI_API_KEY for api.openai.com.
    """


