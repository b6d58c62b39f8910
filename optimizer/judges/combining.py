"""Several opinions on one duel become one verdict. All opinions here speak of the same first and second.

A tie that nobody said is recorded as both-good: both-bad is an alarm about the whole pool, and is
believed only when every answer that spoke of a tie said so.
"""

from collections import Counter
from collections.abc import Sequence

from optimizer.domain import Outcome
from optimizer.judges.base import Mark, Opinion, Verdict

TIES = frozenset({Outcome.BOTH_GOOD, Outcome.BOTH_BAD})


def alone(opinion: Opinion) -> Verdict:
    """One answer is the verdict."""
    said = (opinion.outcome,)
    return _verdict([opinion], said, opinion.outcome, None, 1.0, opinion.reason, opinion.by_criterion)


def of_both_orders(one: Opinion, other: Opinion) -> Verdict:
    """The same answer twice, or a tie marked position-dependent; a skip in either order is a skip."""
    both, said = [one, other], (one.outcome, other.outcome.swapped)
    by_criterion = tuple(
        here if here == there else tie_of([here, there])
        for here, there in zip(one.by_criterion, other.by_criterion, strict=True)
    )
    if one.outcome == other.outcome:
        return _verdict(both, said, one.outcome, None, 1.0, one.reason, by_criterion)
    if Outcome.SKIP in (one.outcome, other.outcome):
        return _verdict(both, said, Outcome.SKIP, None, 0.0, one.reason, by_criterion)
    reason = f"In one order: {one.reason} In the other: {other.reason}"
    tie = tie_of([one.outcome, other.outcome])
    mark = None if {one.outcome, other.outcome} == TIES else Mark.POSITION_DEPENDENT
    return _verdict(both, said, tie, mark, 0.0, reason, by_criterion)


def majority(verdicts: Sequence[Verdict]) -> Verdict:
    """What most of the repeats say and by how much; a tie marked undecided when no outcome leads."""
    said = Counter(verdict.outcome for verdict in verdicts).most_common()
    lead = said[0][1] - (said[1][1] if len(said) > 1 else 0)
    leaders = {outcome for outcome, times in said if times == said[0][1]}
    if lead > 0:
        outcome = said[0][0]
    else:
        outcome = Outcome.SKIP if Outcome.SKIP in leaders else tie_of([v.outcome for v in verdicts])
    undecided = lead == 0 and leaders != TIES and outcome is not Outcome.SKIP
    agreeing = [verdict for verdict in verdicts if verdict.outcome == outcome] or list(verdicts)
    marks = Counter(verdict.mark for verdict in agreeing).most_common()
    soft = [verdict.p_first for verdict in verdicts if verdict.p_first is not None]
    return Verdict(
        outcome,
        agreeing[0].reason,
        agreeing[0].by_criterion,
        Mark.UNDECIDED if undecided else marks[0][0],
        lead / len(verdicts),
        sum(soft) / len(soft) if soft else None,
        tuple(outcome for verdict in verdicts for outcome in verdict.said),
        sum(verdict.calls for verdict in verdicts),
        sum(verdict.tokens for verdict in verdicts),
        verdicts[0].model,
    )


def tie_of(said: Sequence[Outcome | None]) -> Outcome:
    """Which tie stands for answers that differ."""
    ties = {outcome for outcome in said if outcome in TIES}
    return Outcome.BOTH_BAD if ties == {Outcome.BOTH_BAD} else Outcome.BOTH_GOOD


def _verdict(
    opinions: Sequence[Opinion],
    said: tuple[Outcome, ...],
    outcome: Outcome,
    mark: Mark | None,
    margin: float,
    reason: str,
    by_criterion: tuple[Outcome | None, ...],
) -> Verdict:
    soft = [opinion.p_first for opinion in opinions if opinion.p_first is not None]
    return Verdict(
        outcome,
        reason,
        by_criterion,
        mark,
        margin,
        sum(soft) / len(soft) if soft else None,
        said,
        sum(opinion.calls for opinion in opinions),
        sum(opinion.tokens for opinion in opinions),
        opinions[0].model,
    )
