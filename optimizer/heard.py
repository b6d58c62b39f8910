"""Whose votes choose a rater's next duel, and how much they weigh."""

from collections.abc import Mapping, Sequence

from optimizer.counted import PEOPLE_FIRST
from optimizer.domain import JudgeVotes, PromptId, RaterKind, Study, StudyId
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.tally import Tally
from optimizer.stats.trust import share_heard
from optimizer.storage.asking import Desk
from optimizer.storage.base import PairCount

WEIGH_EVERY = 10  # votes: weighing takes up to a tenth of a second where there are many prompts


class Heard:
    """Remembers the judges' weight for a few votes; safe to share between threads."""

    def __init__(self) -> None:
        self._weights: dict[StudyId, tuple[int, float]] = {}

    def votes(self, study: Study, desk: Desk, arm: Mapping[PromptId, int]) -> tuple[Tally, RaterKind | None]:
        """What is known when a duel is chosen, and whose single votes may be looked at (None: everybody's).

        Where judges stand beside people, raters are asked by the votes of their own kind. Where judges are
        discounted, people are asked by their own votes and by the judges' as far as these add to them, all
        judges taken together; judges themselves are asked by everything that was said.
        """
        how = study.settings.judge_votes
        if how == JudgeVotes.BESIDE:
            return tally_of(desk.pair_counts, arm, desk.kind), desk.kind
        if how == JudgeVotes.FULL or desk.kind is RaterKind.JUDGE:
            return tally_of(desk.pair_counts, arm), None
        people = tally_of(desk.pair_counts, arm, RaterKind.HUMAN)
        judges = tally_of(desk.pair_counts, arm, RaterKind.JUDGE)
        weight = self._weight(study.id, people, judges) if judges.total else 0.0
        return Tally(people.counts + weight * judges.counts), RaterKind.HUMAN

    def _weight(self, study: StudyId, people: Tally, judges: Tally) -> float:
        """0 to 1: what a judge's vote adds to the standings; nothing before people have voted a few times."""
        if people.total < PEOPLE_FIRST:
            return 0.0
        at = int(people.total + judges.total) // WEIGH_EVERY
        known, weight = self._weights.get(study, (-1, 0.0))
        if known != at:
            weight = share_heard(fit_by_evidence(people.wins), judges.wins)
            self._weights[study] = at, weight
        return weight


def tally_of(
    counts: Sequence[PairCount], arm: Mapping[PromptId, int], kind: RaterKind | None = None
) -> Tally:
    """Counts of the given arms, by raters of a kind or by all; votes on other prompts are left out."""
    rows = (
        (arm[row.first], arm[row.second], level, float(n))
        for row in counts
        if kind in (None, row.kind) and row.first in arm and row.second in arm
        for level, n in enumerate(row.answers)
        if n
    )
    return Tally.from_answers(len(arm), rows)
