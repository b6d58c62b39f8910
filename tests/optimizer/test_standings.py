"""What retired prompts may and may not do to the standings."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.counted import PEOPLE, Counted
from optimizer.domain import ANSWERS, Outcome, Prompt, PromptId, Study, StudyId, utc_now
from optimizer.standings import race_of, standings_of
from optimizer.stats.stopping import AdviceKind

STUDY = Study(StudyId("s"), "Test")
ARMS = tuple(Prompt(PromptId(f"p{i}"), STUDY.id, f"Prompt {i}", "{{x}}") for i in range(4))
RETIRED = (*ARMS[:2], replace(ARMS[2], retired_at=utc_now()), ARMS[3])
AROUND = ((0, 1), (1, 2), (2, 0))  # each beats the next
BELOW = ((0, 3), (1, 3), (2, 3))


def votes_of(pairs: tuple[tuple[int, int], ...], times: int) -> Counted:
    """The first of each pair wins so many times."""
    first, second = np.array(pairs * times).T
    zeros = np.zeros(len(first), dtype=np.int64)
    won = np.full(len(first), ANSWERS.index((Outcome.FIRST, None)))
    return Counted(
        first, second, won, zeros, zeros, np.full(len(first), PEOPLE), np.ones(len(first)), np.full(4, -1),
        discounted=False, weighed=False, skips=0, raters=1,
    )  # fmt: skip


def test_a_circle_through_a_retired_prompt_is_none_any_longer() -> None:
    votes = votes_of(AROUND + BELOW, 20)
    before, after = standings_of(STUDY, ARMS, votes), standings_of(STUDY, RETIRED, votes)
    assert before.p_cycle > 0.95
    assert set(before.circle) == {"Prompt 0", "Prompt 1", "Prompt 2"}
    assert after.p_cycle < 0.05
    assert after.circle == ()
    assert after.advice is not None
    assert after.advice.kind is not AdviceKind.CYCLE


def test_who_beats_all_others_is_recommended_though_one_of_a_circle_is_stronger() -> None:
    """Prompt 0 beats each by 7 to 3, the others go round by 9 to 1; whom Prompt 1 loses to it hardly met."""
    met = {(1, 2): (180, 20), (2, 3): (180, 20), (3, 1): (18, 2), (0, 1): (21, 9)}
    met |= {(0, 2): (42, 18), (0, 3): (42, 18)}
    pairs = [pair for (i, j), (won, lost) in met.items() for pair in ((i, j),) * won + ((j, i),) * lost]
    table = standings_of(STUDY, ARMS, votes_of(tuple(pairs), 1))
    assert table.cyclic
    assert table.rows[0].prompt.name == "Prompt 0"
    assert table.rows[0].strength < table.rows[1].strength
    assert table.advice is not None
    assert (table.advice.leader, table.advice.kind) == (0, AdviceKind.STOP)
    assert set(table.around) == {"Prompt 1", "Prompt 2", "Prompt 3"}
    assert table.around[0] == table.around[-1]


def test_the_race_gives_retired_prompts_the_same_chance_to_be_best_as_the_table() -> None:
    votes = votes_of(((2, 0), (2, 1), (0, 1), *BELOW), 5)
    race, table = race_of(STUDY, RETIRED, votes, 5), standings_of(STUDY, RETIRED, votes)
    assert np.all(race.p_best[:, 2] == 0.0)
    for row in table.rows:
        assert race.p_best[-1, RETIRED.index(row.prompt)] == pytest.approx(row.p_best, abs=0.05)


def test_a_study_without_prompts_has_empty_standings() -> None:
    none = np.zeros(0, dtype=np.int64)
    votes = Counted(none, none, none, none, none, none, np.zeros(0), none, False, False, 0, 0)
    table = standings_of(STUDY, (), votes)
    assert (table.rows, table.votes, table.advice) == ((), 0, None)
