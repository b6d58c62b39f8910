"""What Prometheus is told of this process: votes, asks, how long they took, model calls, errors.

Counted where the work is done, in this process alone; Prometheus adds replicas and workers up. Labels are
from closed sets or names that the host gave: never ids, never texts.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from optimizer.errors import PromptDuelError

P = ParamSpec("P")
T = TypeVar("T")

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CALL_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

ASKS = Histogram(
    "prompt_duel_ask_seconds", "Handing a rater the next duel, or the open one.", buckets=SECONDS
)
VOTES = Histogram("prompt_duel_vote_seconds", "Storing a vote; its count is votes.", buckets=SECONDS)
CALLS = Histogram(
    "prompt_duel_model_call_seconds",
    "Calls of models, waiting left out.",
    ["connection"],
    buckets=CALL_SECONDS,
)
CALL_ENDS = Counter("prompt_duel_model_calls", "Calls of models, by how they ended.", ["connection", "end"])
TOKENS = Counter("prompt_duel_model_tokens", "Tokens of models, in and out.", ["connection"])
ERRORS = Counter("prompt_duel_errors", "What went wrong, by the class of the error.", ["where", "error"])
RETRIES = Counter("prompt_duel_database_retries", "Tries after the database broke off.")
SESSIONS = Gauge("prompt_duel_sessions", "Pages that are connected to this process.")
LOGGED = Counter("prompt_duel_log_errors", "Lines logged as errors: faults of the app itself.", ["logger"])

CONTENT_TYPE = CONTENT_TYPE_LATEST  # of what is exposed


def exposed() -> bytes:
    """All of it, in the text format of Prometheus."""
    return generate_latest()


def timed(histogram: Histogram, where: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A method whose successes are timed and whose errors are counted by class."""

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        @wraps(method)
        def measured(*args: P.args, **kwargs: P.kwargs) -> T:
            began = time.perf_counter()
            try:
                result = method(*args, **kwargs)
            except PromptDuelError as error:
                ERRORS.labels(where, type(error).__name__).inc()
                raise
            histogram.observe(time.perf_counter() - began)
            return result

        return measured

    return decorate


@contextmanager
def model_call(connection: str) -> Iterator[None]:
    """One call of a model, from when it is sent."""
    began = time.perf_counter()
    try:
        yield
    except BaseException as error:
        CALL_ENDS.labels(connection, type(error).__name__).inc()
        raise
    CALL_ENDS.labels(connection, "answered").inc()
    CALLS.labels(connection).observe(time.perf_counter() - began)


class ErrorLines(logging.Handler):
    """Counts the lines that any library logs as errors, e.g. a screen that failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        LOGGED.labels(record.name.partition(".")[0]).inc()
