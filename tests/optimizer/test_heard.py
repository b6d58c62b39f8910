"""Whose votes choose the duels: those of people in full, those of judges as far as they follow them."""

from dataclasses import replace

import pytest

from optimizer.domain import JudgeVotes, PromptId, RaterKind, Settings, Study, StudyId
from optimizer.heard import Heard, tally_of
from optimizer.storage.asking import Desk
from optimizer.storage.base import Counters, PairCount

ARMS = {PromptId("a"): 0, PromptId("b"): 1, PromptId("c"): 2}
ORDER = [("a", "b"), ("b", "c"), ("a", "c")]


def study(how: JudgeVotes) -> Study:
    return Study(StudyId("s"), "S", settings=Settings(judge_votes=how.value))


def votes(kind: RaterKind, each: int, for_the_first: float) -> list[PairCount]:
    """``each`` votes on every pair; the first of it is the better prompt in people's eyes."""
    first = round(each * for_the_first)
    said = (0, first, 0, 0, 0, 0, each - first, 0, 0)
    return [PairCount(kind, PromptId(one), PromptId(other), said) for one, other in ORDER]


def desk(kind: RaterKind, *counts: PairCount) -> Desk:
    return Desk(study(JudgeVotes.FULL), Counters(0, 0, 0, 0), kind, (), None, counts, list)


PEOPLE = votes(RaterKind.HUMAN, 20, 0.8)
FOLLOWER = votes(RaterKind.JUDGE, 40, 0.8)
CONTRARY = votes(RaterKind.JUDGE, 40, 0.2)


@pytest.mark.parametrize(
    ("how", "kind", "total", "whose"),
    [
        (JudgeVotes.BESIDE, RaterKind.HUMAN, 60, RaterKind.HUMAN),
        (JudgeVotes.BESIDE, RaterKind.JUDGE, 120, RaterKind.JUDGE),
        (JudgeVotes.FULL, RaterKind.HUMAN, 180, None),
        (JudgeVotes.DISCOUNTED, RaterKind.JUDGE, 180, None),
    ],
)
def test_whose_votes_are_heard(how: JudgeVotes, kind: RaterKind, total: int, whose: RaterKind | None) -> None:
    tally, looked_at = Heard().votes(study(how), desk(kind, *PEOPLE, *FOLLOWER), ARMS)
    assert (tally.total, looked_at) == (total, whose)


def test_a_discounted_judge_weighs_what_it_adds_to_the_people() -> None:
    of = study(JudgeVotes.DISCOUNTED)
    follower, _ = Heard().votes(of, desk(RaterKind.HUMAN, *PEOPLE, *FOLLOWER), ARMS)
    contrary, whose = Heard().votes(of, desk(RaterKind.HUMAN, *PEOPLE, *CONTRARY), ARMS)
    assert 60 + 120 * 0.05 < follower.total <= 180
    assert contrary.total == pytest.approx(60, abs=1)
    assert whose is RaterKind.HUMAN


def test_it_weighs_nothing_before_people_voted_enough() -> None:
    few = votes(RaterKind.HUMAN, 3, 1.0)
    tally, _ = Heard().votes(study(JudgeVotes.DISCOUNTED), desk(RaterKind.HUMAN, *few, *FOLLOWER), ARMS)
    assert tally.total == 9


def test_the_weight_is_looked_at_again_as_votes_come() -> None:
    heard, of = Heard(), study(JudgeVotes.DISCOUNTED)
    before, _ = heard.votes(of, desk(RaterKind.HUMAN, *PEOPLE, *FOLLOWER), ARMS)
    after, _ = heard.votes(of, desk(RaterKind.HUMAN, *PEOPLE, *FOLLOWER, *CONTRARY, *CONTRARY), ARMS)
    assert after.total < before.total


def test_votes_on_other_prompts_are_left_out() -> None:
    gone = replace(PEOPLE[0], second=PromptId("retired"))
    assert tally_of([gone, PEOPLE[1]], ARMS).total == 20
