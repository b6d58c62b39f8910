"""Winners by segment, in words."""

from optimizer.reports.blocks import Block, Section, Table, Text
from optimizer.reports.facts import Report, Segment
from optimizer.reports.numbers import percent, probability
from optimizer.reports.segments import FEWEST


def segments(report: Report) -> Section:
    """One row per tag, length and language with enough votes; the others by name, without a winner."""
    large = [segment for segment in report.segments if segment.leader is not None]
    small = [segment for segment in report.segments if segment.leader is None]
    columns = (
        "Slice",
        "Segment",
        "Inputs",
        "Votes",
        "Likely best here",
        "Best",
        "The winner beats the pool here",
    )
    blocks: list[Block] = []
    if large:
        blocks.append(Table(columns, [_row(one) for one in large], None, frozenset({2, 3, 5, 6})))
    if small:
        names = ", ".join(f"{one.slice} '{one.name}' ({one.votes:,})" for one in small)
        blocks.append(Text(f"Too few votes to name a winner (below {FEWEST}): {names}."))
    if blocks:
        blocks.append(
            Text(
                "Each segment is estimated from its own votes alone; with many of them some differ by "
                "chance. "
                "Lengths and languages of the inputs are told by the app.",
                note=True,
            )
        )
    return Section("Winners by segment", blocks)


def _row(segment: Segment) -> tuple[str, ...]:
    assert segment.leader is not None
    return (
        segment.slice,
        segment.name,
        f"{segment.inputs:,}",
        f"{segment.votes:,}",
        segment.leader.name,
        probability(segment.p_best),
        percent(segment.chance),
    )
