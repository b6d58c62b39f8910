"""Numbers as people read them."""

from datetime import UTC, datetime

from optimizer.generation.costs import money_text
from optimizer.reports.facts import Price
from optimizer.stats.judge_bias import Rate

NOT_KNOWN = "–"


def percent(share: float) -> str:
    """A share of one: '71 %'; at the ends '<1 %' and '>99 %'."""
    if share != share:
        return NOT_KNOWN
    if 0.0 < share < 0.005 or 0.995 <= share < 1.0:
        return "<1\u00a0%" if share < 0.5 else ">99\u00a0%"
    return f"{100 * share:.0f}\u00a0%"


def probability(chance: float) -> str:
    """As ``percent``, of what was counted among draws: none and all of them are not 0 and 1."""
    return percent(min(max(chance, 1e-9), 1.0 - 1e-9))


def ranks(low: int, high: int) -> str:
    """'1', '2–4'."""
    return f"{low}" if low == high else f"{low}–{high}"


def interval(low: float, high: float) -> str:
    """'-0.20 to +0.61'."""
    return f"{low:+.2f} to {high:+.2f}"


def rate(found: Rate) -> str:
    """'72 % of 50 (58 % to 83 %)'."""
    return f"{percent(found.value)} of {found.n:,} ({percent(found.low)} to {percent(found.high)})"


def counted(number: int, noun: str) -> str:
    """'1 vote', '1,204 votes'."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def price(one: Price, measure: str) -> str:
    """What an output takes by one measure, with its unit."""
    value = one.of(measure)
    if value is None:
        return NOT_KNOWN
    if measure == "money":
        return money_text(value)
    unit = {"tokens": " tokens", "latency_ms": " ms", "characters": " characters"}[measure]
    return f"{value:,.0f}{unit}"
