"""Judges beside people: the duels that both answered, and what a judge's own answers give away of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from optimizer.domain import ANSWERS, Outcome, OutputId, PromptId, RaterId, RaterKind, Vote
from optimizer.judging.rulings import ruling_of
from optimizer.stats.agreement import UNDEFINED, Coefficient, cohen_kappa, krippendorff_alpha
from optimizer.stats.judge_bias import LengthBias, PositionBias, Rate, length_bias, position_bias, rate
from optimizer.stats.prediction_powered import PoweredRate, powered_rate
from optimizer.stats.tally import LEVELS, SCORE_OF_FIRST
from optimizer.storage.base import Answered

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
CONFUSED = (Outcome.FIRST, Outcome.BOTH_GOOD, Outcome.BOTH_BAD, Outcome.SECOND)


@dataclass(frozen=True, slots=True)
class Compared:
    """A judge's answer to a duel: its score of the first output (1, 0.5, 0) and, where people answered on
    the same two outputs, their mean score of it."""

    duel: Answered
    judge: float
    people: float | None

    def of(self, prompt: PromptId) -> tuple[float, float | None]:
        """Both scores from a prompt's side."""
        if self.duel.first == prompt:
            return self.judge, self.people
        return 1.0 - self.judge, None if self.people is None else 1.0 - self.people


def compared(rows: Iterable[Answered], judge: RaterId) -> list[Compared]:
    """The judge's answers in order of time, without skips and replays."""
    people: defaultdict[frozenset[OutputId], list[tuple[OutputId, float]]] = defaultdict(list)
    mine = []
    for row in rows:
        if row.answer >= LEVELS or row.replay:
            continue
        if row.rater == judge:
            mine.append(row)
        elif row.kind is RaterKind.HUMAN and row.counts:
            score = float(SCORE_OF_FIRST[row.answer])
            people[frozenset((row.first_output, row.second_output))].append((row.first_output, score))
    found = []
    for row in mine:
        theirs = people.get(frozenset((row.first_output, row.second_output)), [])
        scores = [score if first == row.first_output else 1.0 - score for first, score in theirs]
        mean = sum(scores) / len(scores) if scores else None
        found.append(Compared(row, float(SCORE_OF_FIRST[row.answer]), mean))
    return found


def once(duels: Iterable[Compared]) -> list[Compared]:
    """The judge's first answer to each pair of outputs: asked again, it says much the same again, and what
    people said of the pair must not be counted twice."""
    found: dict[frozenset[OutputId], Compared] = {}
    for duel in duels:
        found.setdefault(frozenset((duel.duel.first_output, duel.duel.second_output)), duel)
    return list(found.values())


def agreement(duels: Sequence[Compared]) -> tuple[Rate, list[bool], list[datetime]]:
    """How often the judge prefers what people prefer, where both prefer one; with each case in order."""
    found = [
        ((duel.judge > 0.5) == (duel.people > 0.5), duel.duel.at)
        for duel in once(duels)
        if duel.people is not None and duel.people != 0.5 and duel.judge != 0.5
    ]
    same = [agreed for agreed, _ in found]
    return rate(sum(same), len(same)), same, [at for _, at in found]


def confusion(rows: Iterable[Answered], judge: RaterId) -> IntArray:
    """(4, 4) answers of the judge by those of people to the same two outputs, one count for each pair of
    votes; in the order of ``CONFUSED``, first and second as the judge saw them."""
    rows = [row for row in rows if row.answer < LEVELS and not row.replay]
    people: defaultdict[frozenset[OutputId], list[Answered]] = defaultdict(list)
    for row in rows:
        if row.kind is RaterKind.HUMAN and row.counts:
            people[frozenset((row.first_output, row.second_output))].append(row)
    table = np.zeros((len(CONFUSED), len(CONFUSED)), dtype=np.int64)
    for row in rows:
        if row.rater == judge:
            for theirs in people.get(frozenset((row.first_output, row.second_output)), ()):
                said = ANSWERS[theirs.answer][0]
                said = said if theirs.first_output == row.first_output else said.swapped
                table[CONFUSED.index(ANSWERS[row.answer][0]), CONFUSED.index(said)] += 1
    return table


def kappa(duels: Iterable[Compared]) -> Coefficient:
    """Cohen's coefficient of the judge and people, over first, tie and second."""
    shared = [(np.sign(d.judge - 0.5), np.sign(d.people - 0.5)) for d in once(duels) if d.people is not None]
    judge, people = np.array(shared, dtype=np.float64).reshape(-1, 2).T
    return cohen_kappa(judge, people) if shared else UNDEFINED


def alpha(rows: Iterable[Answered], judge: RaterId | None, rng: np.random.Generator) -> Coefficient:
    """Krippendorff's coefficient of everybody's scores of the same two outputs, of people alone or of people
    and a judge: first, tie and second as an ordered scale. A rater's newest answer counts."""
    raters: dict[RaterId, int] = {}
    said: dict[tuple[OutputId, OutputId], dict[int, float]] = {}
    for row in rows:
        of_person = row.kind is RaterKind.HUMAN and row.counts
        if row.answer >= LEVELS or row.replay or not (of_person or row.rater == judge):
            continue
        turned = row.first_output > row.second_output
        pair = (row.second_output, row.first_output) if turned else (row.first_output, row.second_output)
        score = float(SCORE_OF_FIRST[row.answer])
        rater = raters.setdefault(row.rater, len(raters))
        said.setdefault(pair, {})[rater] = 1.0 - score if turned else score
    ratings = np.full((len(raters), len(said)), np.nan)
    for column, scores in enumerate(said.values()):
        for rater, score in scores.items():
            ratings[rater, column] = score
    return krippendorff_alpha(ratings, rng, "ordinal")


def among_people(rows: Iterable[Answered]) -> Rate:
    """How often two people who voted on the same two outputs prefer the same one, where both prefer one."""
    by_pair: defaultdict[frozenset[OutputId], list[tuple[RaterId, OutputId]]] = defaultdict(list)
    for row in rows:
        if row.kind is RaterKind.HUMAN and row.counts and row.answer < LEVELS:
            score = SCORE_OF_FIRST[row.answer]
            if score != 0.5:
                winner = row.first_output if score == 1.0 else row.second_output
                by_pair[frozenset((row.first_output, row.second_output))].append((row.rater, winner))
    same = pairs = 0
    for votes in by_pair.values():
        for i, (rater, winner) in enumerate(votes):
            for other, theirs in votes[:i]:
                pairs += rater != other
                same += rater != other and winner == theirs
    return rate(same, pairs)


def position_of(votes: Iterable[Vote]) -> PositionBias | None:
    """From the answers in both orders; None where the judge was asked in one only."""
    counts = {"first": 0, "second": 0, "same": 0}
    asked = False
    for vote in votes:
        ruling = ruling_of(vote)
        if ruling is None or not ruling.both_orders:
            continue
        asked = True
        for one, other in zip(ruling.said[::2], ruling.said[1::2], strict=False):
            if one == other and one in (Outcome.FIRST, Outcome.SECOND):
                counts[one.value] += 1
            elif one == other.swapped and one in (Outcome.FIRST, Outcome.SECOND):
                counts["same"] += 1
    return position_bias(counts["first"], counts["second"], counts["same"]) if asked else None


def first_rate(duels: Iterable[Compared]) -> Rate:
    """How often the output shown first won: one half on average, for sides are drawn by lot."""
    decided = [d.judge for d in duels if d.judge != 0.5]
    return rate(sum(score == 1.0 for score in decided), len(decided))


def length_of(duels: Sequence[Compared], lengths: Mapping[OutputId, int]) -> LengthBias:
    """Does the judge prefer longer outputs, more than people do?"""
    gap = np.array(
        [lengths[d.duel.first_output] - lengths[d.duel.second_output] for d in duels], dtype=np.int64
    )
    judge = np.array([np.sign(d.judge - 0.5) for d in duels], dtype=np.int64)
    people = np.array([0 if d.people is None else np.sign(d.people - 0.5) for d in duels], dtype=np.int64)
    return length_bias(judge, gap, people)


def powered(duels: Sequence[Compared], prompt: PromptId, audit_only: bool = False) -> PoweredRate:
    """A prompt's win rate by people, sharpened by the judge. Raises ``NotFitted`` with too few shared duels.

    Sound where the duels that people voted on are like the judge's others: with ``audit_only`` both are
    uniform draws.
    """
    mine = [
        d.of(prompt)
        for d in once(duels)
        if prompt in (d.duel.first, d.duel.second) and (d.duel.audit or not audit_only)
    ]
    both = [(people, judge) for judge, people in mine if people is not None]
    people, judge = np.array(both, dtype=np.float64).reshape(-1, 2).T
    return powered_rate(people, judge, np.array([judge for judge, people in mine if people is None]))
