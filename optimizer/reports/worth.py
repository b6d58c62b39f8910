"""What the winner costs, and whether it is merely longer, in words."""

from optimizer.reports.blocks import Chart, Section, Table, Text
from optimizer.reports.facts import Report
from optimizer.reports.numbers import NOT_KNOWN, interval, percent, price, probability

MEASURED = {"money": "money", "tokens": "tokens", "latency_ms": "milliseconds", "characters": "characters"}


def economy(report: Report) -> Section:
    """Quality against cost and latency, the cheapest that may be the best marked."""
    best, measure = report.cheapest, report.measure
    if best is None or not any(one.characters for one in report.prices):
        return Section("Quality and cost", [])
    marks = {True: "may be the best", False: ""}
    rows = [
        (
            one.prompt.name,
            probability(one.p_best),
            percent(one.chance),
            price(one, "money"),
            price(one, "tokens"),
            price(one, "latency_ms"),
            price(one, "characters"),
            "cheapest that may be the best" if one is best else marks[one.plausible],
        )
        for one in report.prices
    ]
    columns = ("Prompt", "Best", "Beats pool", "Money", "Tokens", "Latency", "Characters", "")
    marked = next(i for i, one in enumerate(report.prices) if one is best)
    return Section(
        "Quality, cost and latency",
        [
            Text(
                f"The cheapest prompt that may still be the best is {best.prompt.name}, at "
                f"{price(best, measure)} per "
                "output. Prompts that may be the best: the fewest that hold the best one with 95 %."
            ),
            Table(columns, rows, marked, frozenset({1, 2, 3, 4, 5, 6})),
            Text("Per output that was shown: means, of latency the median. “–” was not measured.", note=True),
            Chart("economy", f"Chance to beat the pool against {MEASURED[measure]} per output."),
        ],
    )


def length(report: Report) -> Section:
    """The strengths at equal length beside the raw ones."""
    fair = report.fair
    if fair is None:
        return Section("At equal length", [])
    rows = [
        (
            row.prompt.name,
            f"{row.strength:+.2f}",
            probability(row.p_best),
            f"{fair.strengths[row.prompt.id][0]:+.2f}",
            interval(*fair.strengths[row.prompt.id][1:]),
            probability(fair.p_best[row.prompt.id]) if row.prompt.id in fair.p_best else NOT_KNOWN,
        )
        for row in report.standings.rows
    ]
    pull = (
        f"Twice the length is worth {fair.pull:+.2f} logits (standard deviation {fair.pull_sd:.2f}): voters "
        + (
            "prefer longer outputs."
            if fair.longer_wins
            else "prefer shorter outputs."
            if fair.shorter_wins
            else "do not clearly prefer longer or shorter outputs."
        )
    )
    few = (
        f" Estimated from the {fair.votes:,} votes on the inputs that met most."
        if fair.votes < report.standings.votes
        else ""
    )
    return Section(
        "At equal length",
        [
            Text(
                f"The winner's outputs have {fair.winner_length:,.0f} characters, the others' "
                f"{fair.pool_length:,.0f}. "
                f"{pull}{few}"
            ),
            Table(
                ("Prompt", "Strength", "Best", "At equal length", "90 %", "Best"),
                rows,
                next(i for i, row in enumerate(report.standings.rows) if row is report.winner),
                frozenset({1, 2, 3, 4, 5}),
            ),
        ],
    )
