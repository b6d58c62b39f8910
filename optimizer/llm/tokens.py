"""How many tokens, and what they cost: estimates before a call, bounds for a budget, prices after.

No tokenizer is at hand for every model. Over most languages a token is about four bytes of UTF-8,
which serves previews; a token is never less than one byte, which serves as a bound.
"""

from math import ceil

from optimizer.domain import Connection
from optimizer.llm.base import Request, Usage

BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4  # the frame around a message, about
MOST_PER_MESSAGE = 16  # and at most
USUAL_ANSWER = 250  # tokens, when nothing better is known


def estimate(text: str) -> int:
    """About how many tokens a text has."""
    return ceil(len(text.encode()) / BYTES_PER_TOKEN)


def estimate_input(request: Request) -> int:
    """About how many tokens a request has."""
    return sum(estimate(m.content) + TOKENS_PER_MESSAGE for m in request.messages)


def most_input(request: Request) -> int:
    """More tokens than a request can have."""
    sent = [m.content for m in request.messages] + ([] if request.schema is None else [str(request.schema)])
    return sum(len(text.encode()) + MOST_PER_MESSAGE for text in sent)


def cost(connection: Connection, usage: Usage) -> float | None:
    """What an answer costs, in the currency of the connection's prices; None without prices."""
    if connection.input_price is None or connection.output_price is None:
        return None
    return (usage.input_tokens * connection.input_price + usage.output_tokens * connection.output_price) / 1e6
