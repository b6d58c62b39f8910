"""Who voted, and how far the votes can be believed."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from optimizer.domain import ANSWERS, Outcome, RaterKind
from optimizer.judging.comparing import alpha, among_people
from optimizer.reports.facts import Evidence
from optimizer.stats.judge_bias import Rate, rate
from optimizer.storage.base import Answered


def evidence_of(rows: Sequence[Answered], answered: Sequence[Answered], imported: bool) -> Evidence:
    """From the votes that count without skips, and every standing vote of the study."""
    raters = {row.rater: row.kind for row in rows}
    people = [row for row in rows if row.kind is RaterKind.HUMAN]
    shared = _shared(people)
    decided = [ANSWERS[row.answer][0] for row in rows]
    first = sum(said is Outcome.FIRST for said in decided)
    return Evidence(
        people=sum(kind is RaterKind.HUMAN for kind in raters.values()),
        judges=sum(kind is RaterKind.JUDGE for kind in raters.values()),
        people_agree=among_people(shared),
        alpha=alpha(shared, None, np.random.default_rng(0)),
        steady=_steady(answered),
        first_side=rate(first, first + sum(said is Outcome.SECOND for said in decided)),
        audits=sum(row.audit for row in rows),
        imported=imported,
        inputs=len({row.input for row in rows}),
    )


def _shared(people: Sequence[Answered]) -> list[Answered]:
    """Votes on outputs that two people or more voted on: agreement is about no others."""
    pairs = Counter(frozenset((row.first_output, row.second_output)) for row in people)
    return [row for row in people if pairs[frozenset((row.first_output, row.second_output))] > 1]


def _steady(answered: Sequence[Answered]) -> Rate:
    """Of the earlier duels that were asked again with the sides swapped, those with the same answer."""
    replays = {row.repeats for row in answered if row.replay}
    before = {row.duel: row for row in answered if row.duel in replays}
    same = pairs = 0
    for row in answered:
        then = before.get(row.repeats) if row.replay and row.repeats is not None else None
        if then is not None:
            said, repeated = ANSWERS[then.answer][0], ANSWERS[row.answer][0]
            pairs += 1
            same += said is (repeated.swapped if row.first_output == then.second_output else repeated)
    return rate(same, pairs)
