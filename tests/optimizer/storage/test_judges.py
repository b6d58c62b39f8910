"""Rubrics are versions that never change; a judge's vote keeps how it came about."""

from dataclasses import replace

import pytest

from optimizer.domain import Batch, JudgeVotes, Outcome, Rubric, RubricId, Settings, StudyId
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.storage.base import Store
from tests.optimizer.storage.world import NOW, duel_of, study_of, vote_on

S = StudyId("s")


def rubric(version: int, text: str = "Be right.", study: str = "s") -> Rubric:
    return Rubric(RubricId(f"{study}-{version}"), StudyId(study), version, text, NOW)


def test_rubrics_read_back_in_order_of_their_versions(store: Store) -> None:
    store.add(Batch([study_of("other")]))
    second, first, foreign = rubric(2, "Be\n値 right."), rubric(1), rubric(1, study="other")
    before = store.counters(S)
    store.add(Batch(rubrics=[second, foreign]))
    store.add(Batch(rubrics=[first]))
    assert store.rubrics(S) == [first, second]
    assert store.rubrics(StudyId("other")) == [foreign]
    assert store.counters(S) == before
    with pytest.raises(NotFound):
        store.rubrics(StudyId("no"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (replace(rubric(1), id=RubricId("new")), Conflict),
        (replace(rubric(1), version=2), Conflict),
        (rubric(1, study="ghost"), NotFound),
        (rubric(2, "\ud800"), BadInput),
    ],
)
def test_a_rubric_with_a_fault_changes_nothing(store: Store, fault: Rubric, error: type[Exception]) -> None:
    store.add(Batch(rubrics=[rubric(1)]))
    with pytest.raises(error):
        store.add(Batch(duels=[duel_of(id="beside")], rubrics=[fault]))
    assert store.rubrics(S) == [rubric(1)]
    assert store.last_duels(S) == []


def test_two_of_one_version_in_a_batch_are_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict):
        store.add(Batch(rubrics=[rubric(1), replace(rubric(1), id=RubricId("new"))]))
    assert store.rubrics(S) == []


def test_a_verdict_reads_back_as_it_was_through_all_that_befalls_a_vote(store: Store) -> None:
    duel = duel_of(rater=2)
    verdict = {"model": "m", "rubric": 3, "margin": 0.5, "said": ["first", "second"], "p_first": None}
    vote = vote_on(duel, Outcome.BOTH_GOOD, verdict=verdict, comment="Both fine.")
    store.add(Batch(duels=[duel]))
    store.add_vote(vote)
    assert store.vote(vote.id) == vote
    store.withdraw_vote(vote.id, NOW)
    store.restore_vote(vote.id, NOW)
    store.note_vote(vote.id, ("useful",), (), "Both good.", NOW)
    noted = replace(vote, first_reasons=("useful",), comment="Both good.")
    assert store.ballots(S)[0].vote == noted


def test_a_verdict_that_is_not_json_is_refused(store: Store) -> None:
    duel = duel_of(rater=2)
    store.add(Batch(duels=[duel]))
    with pytest.raises(BadInput, match="verdict"):
        store.add_vote(vote_on(duel, verdict={"margin": float("nan")}))


def test_how_judges_count_is_a_setting(store: Store) -> None:
    settings = Settings(judge_votes=JudgeVotes.DISCOUNTED.value, judge_bar=0.7)
    store.replace(replace(study_of(), settings=settings))
    assert store.study(S).settings == settings
