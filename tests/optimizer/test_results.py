"""Standings and race follow from the standing votes, under every filter."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Input,
    InputId,
    JudgeVotes,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    RaterKind,
    Study,
    StudyId,
    Vote,
    VoteId,
    utc_now,
)
from optimizer.results import Results, VoteFilter
from optimizer.standings import checkpoints
from optimizer.storage import open_store
from optimizer.storage.base import Store

STUDY = StudyId("s")
NOW = utc_now()


@pytest.fixture
def store() -> Store:
    """Three prompts. Ann (a person) prefers p0, the judge prefers p2; Ann's votes on x1 are audits."""
    store = open_store("memory://")
    arms = [Prompt(PromptId(f"p{i}"), STUDY, f"Prompt {i}", "{{x}}") for i in range(3)]
    rows = [Input(InputId(f"x{x}"), STUDY, {"x": "1"}, (f"tag{x}",)) for x in range(2)]
    outputs = [
        Output(OutputId(f"o{i}-{x}"), STUDY, PromptId(f"p{i}"), InputId(f"x{x}"), "text")
        for i in range(3)
        for x in range(2)
    ]
    raters = [Rater(RaterId("ann"), STUDY, "Ann"), Rater(RaterId("judge"), STUDY, "J", RaterKind.JUDGE)]
    duels, votes = [], []
    for n in range(60):
        i, j = [(0, 1), (1, 2), (2, 0)][n % 3]
        rater, liked = (raters[0], 0) if n % 2 else (raters[1], 2)
        x = (n // 6) % 2
        duels.append(
            Duel(
                DuelId(f"d{n}"),
                STUDY,
                InputId(f"x{x}"),
                OutputId(f"o{i}-{x}"),
                OutputId(f"o{j}-{x}"),
                PromptId(f"p{i}"),
                PromptId(f"p{j}"),
                rater.id,
                "random",
                "",
                x == 1,
                NOW,
                NOW,
            )
        )
        outcome = {i: Outcome.FIRST, j: Outcome.SECOND}.get(liked, Outcome.BOTH_GOOD)
        votes.append(Vote(VoteId(f"v{n}"), STUDY, DuelId(f"d{n}"), rater.id, outcome, NOW))
    store.add(Batch([Study(STUDY, "Test")], arms, rows, outputs, raters, duels, votes))
    return store


@pytest.mark.parametrize(
    ("chosen", "votes", "best"),
    [
        (VoteFilter(kind=RaterKind.HUMAN), 30, "p0"),
        (VoteFilter(kind=RaterKind.JUDGE), 30, "p2"),
        (VoteFilter(raters=frozenset({RaterId("ann")})), 30, "p0"),
        (VoteFilter(kind=RaterKind.HUMAN, tags=frozenset({"tag0"})), 15, "p0"),
        (VoteFilter(kind=RaterKind.JUDGE, audit_only=True), 15, "p2"),
    ],
)
def test_filters_choose_whose_votes_count(store: Store, chosen: VoteFilter, votes: int, best: str) -> None:
    standings = Results(store).standings(store.study(STUDY), chosen)
    assert standings.votes == votes
    assert standings.rows[0].prompt.id == best


def test_the_table_adds_up(store: Store) -> None:
    standings = Results(store).standings(store.study(STUDY), VoteFilter(judges=JudgeVotes.FULL))
    assert (standings.votes, standings.human_votes, standings.judge_votes, standings.raters) == (
        60,
        30,
        30,
        2,
    )
    assert sum(row.duels for row in standings.rows) == 2 * standings.votes
    assert sum(row.wins for row in standings.rows) == sum(row.losses for row in standings.rows)
    assert sum(row.p_best for row in standings.rows) == pytest.approx(1.0)
    assert np.allclose(standings.wins + standings.wins.T, standings.played)
    for row in standings.rows:
        assert row.low < row.strength < row.high
        assert 1 <= row.rank_low <= row.rank_high <= 3
        assert row.chance_low <= row.chance <= row.chance_high


def test_a_withdrawn_vote_changes_the_answer_at_once(store: Store) -> None:
    results = Results(store)
    before = results.standings(store.study(STUDY))
    store.withdraw_vote(VoteId("v1"), NOW)
    assert results.standings(store.study(STUDY)).votes == before.votes - 1


def test_a_rater_set_aside_does_not_count(store: Store) -> None:
    store.replace(replace(store.rater(RaterId("judge")), set_aside_at=NOW))
    assert Results(store).standings(store.study(STUDY)).judge_votes == 0


def test_only_raters_whose_votes_are_held_are_counted(store: Store) -> None:
    store.add(Batch(raters=[Rater(RaterId("bob"), STUDY, "Bob, who only looked")]))
    results = Results(store)
    assert results.standings(store.study(STUDY)).raters == 1  # the judge stands beside
    assert results.standings(store.study(STUDY), VoteFilter(judges=JudgeVotes.FULL)).raters == 2
    store.replace(replace(store.rater(RaterId("ann")), set_aside_at=NOW))
    assert results.standings(store.study(STUDY)).raters == 1  # the judge alone


def test_a_retired_prompt_keeps_its_strength_but_cannot_be_best(store: Store) -> None:
    chosen = VoteFilter(kind=RaterKind.JUDGE)
    best = next(prompt for prompt in store.prompts(STUDY) if prompt.id == "p2")
    before = Results(store).standings(store.study(STUDY), chosen)
    store.replace(replace(best, retired_at=NOW))
    after = Results(store).standings(store.study(STUDY), chosen)
    assert after.rows[0].strength == pytest.approx(before.rows[0].strength)
    assert after.rows[0].p_best == 0.0
    assert sum(row.p_best for row in after.rows) == pytest.approx(1.0)
    assert after.advice is not None
    assert len(after.active) == 2


def test_the_race_ends_where_the_table_stands(store: Store) -> None:
    study = store.study(STUDY)
    race, standings = Results(store).race(study), Results(store).standings(study)
    assert race.votes[0] == 0
    assert race.votes[-1] == standings.votes
    assert np.allclose(race.p_best.sum(1), 1.0)
    assert np.allclose(race.chance[0], 0.5, atol=0.05)
    for row in standings.rows:
        arm = race.names.index(row.prompt.name)
        assert race.chance[-1, arm] == pytest.approx(row.chance, abs=0.05)
        assert race.observed[-1, arm] == pytest.approx(row.observed)


def test_checkpoints_hold_the_first_and_the_last() -> None:
    assert checkpoints(3, 40) == (0, 1, 2, 3)
    marks = checkpoints(1000, 40)
    assert (marks[0], marks[-1]) == (0, 1000)
    assert len(marks) <= 41
