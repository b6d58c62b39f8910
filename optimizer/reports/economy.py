"""Quality against what it costs: tokens, money and seconds per output, and the cheapest plausible winner."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from optimizer.domain import Output
from optimizer.reports.facts import Price
from optimizer.standings import Row

CREDIBLE = 0.95  # the smallest set of prompts that holds the best one with this probability
MEASURES = ("money", "tokens", "latency_ms", "characters")  # what "cheap" means, the best known first


def credible_set(rows: Sequence[Row]) -> set[str]:
    """Ids of the prompts that may be the best: most likely first, until they add up to ``CREDIBLE``."""
    found: set[str] = set()
    total = 0.0
    for row in sorted(rows, key=lambda row: -row.p_best):
        if row.prompt.retired_at is not None or total >= CREDIBLE:
            continue
        found.add(row.prompt.id)
        total += row.p_best
    return found


def price_of(row: Row, plausible: bool, outputs: Iterable[Output]) -> Price:
    """From the outputs of one prompt that may be shown."""
    usable = [output for output in outputs if output.usable]
    money = [float(o.usage["cost"]) for o in usable if "cost" in o.usage]
    tokens = [
        o.usage.get("input_tokens", 0.0) + o.usage["output_tokens"]
        for o in usable
        if "output_tokens" in o.usage
    ]
    latency = [o.latency_ms for o in usable if o.latency_ms is not None]
    return Price(
        row.prompt,
        row.p_best,
        row.chance,
        plausible,
        fmean(money) if money else None,
        fmean(tokens) if tokens else None,
        median(latency) if latency else None,
        fmean(len(o.text) for o in usable) if usable else None,
    )


def measure_of(prices: Sequence[Price]) -> str:
    """The first measure that is known of every plausible prompt; at the least the length of the outputs."""
    plausible = [price for price in prices if price.plausible]
    known = (m for m in MEASURES if plausible and all(price.of(m) is not None for price in plausible))
    return next(known, MEASURES[-1])


def cheapest(prices: Sequence[Price], measure: str) -> Price | None:
    """The prompt of the credible set that takes least."""
    priced = [
        (value, price) for price in prices if price.plausible and (value := price.of(measure)) is not None
    ]
    return min(priced, key=lambda pair: pair[0])[1] if priced else None
