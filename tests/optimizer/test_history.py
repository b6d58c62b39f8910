"""Votes page by page, under filters."""

from dataclasses import replace

import pytest

from optimizer import history
from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Study,
    StudyId,
    Vote,
    VoteId,
    utc_now,
)
from optimizer.history import HistoryFilter, page
from optimizer.storage import open_store
from optimizer.storage.base import Store

STUDY = StudyId("s")
ANN, BEN = RaterId("ann"), RaterId("ben")
P, Q, R = PromptId("p"), PromptId("q"), PromptId("r")
OUTCOMES = (Outcome.FIRST, Outcome.SECOND, Outcome.SKIP)


@pytest.fixture
def store() -> Store:
    """Twelve votes, numbered from the oldest: raters alternate, outcomes go round, input and pair change
    half-way, and vote 5 is withdrawn."""
    now = utc_now()
    made = open_store("memory://")
    prompts = [Prompt(id, STUDY, id, "{{x}}") for id in (P, Q, R)]
    inputs = [Input(InputId("i"), STUDY, {"x": "1"}, ("hard",)), Input(InputId("j"), STUDY, {"x": "2"})]
    outputs = [
        Output(OutputId(f"{prompt.id}{row.id}"), STUDY, prompt.id, row.id, "text")
        for prompt in prompts
        for row in inputs
    ]
    duels, votes = [], []
    for number in range(12):
        row, second = ("i", Q) if number < 6 else ("j", R)
        rater = (ANN, BEN)[number % 2]
        duel = Duel(
            DuelId(f"d{number}"), STUDY, InputId(row), OutputId(f"p{row}"), OutputId(f"{second}{row}"), P,
            second, rater, "random", "drawn", False, now, now,
        )  # fmt: skip
        duels.append(duel)
        votes.append(Vote(VoteId(f"{number}"), STUDY, duel.id, rater, OUTCOMES[number % 3], now))
    made.add(
        Batch(
            studies=[Study(STUDY, "S")],
            prompts=prompts,
            inputs=inputs,
            outputs=outputs,
            raters=[Rater(ANN, STUDY, "Ann"), Rater(BEN, STUDY, "Ben")],
            duels=duels,
            votes=votes,
        )
    )
    made.withdraw_vote(VoteId("5"), now)
    return made


def numbers(store: Store, chosen: HistoryFilter, number: int = 1, size: int = 50) -> list[int]:
    return [int(ballot.vote.id) for ballot in page(store, STUDY, chosen, number, size).ballots]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (HistoryFilter(), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (HistoryFilter(rater=ANN), [10, 8, 6, 4, 2, 0]),
        (HistoryFilter(outcomes=frozenset([Outcome.FIRST])), [9, 6, 3, 0]),
        (HistoryFilter(prompts=frozenset([P, Q])), [5, 4, 3, 2, 1, 0]),
        (HistoryFilter(prompts=frozenset([R])), [11, 10, 9, 8, 7, 6]),
        (HistoryFilter(prompts=frozenset([Q, R])), []),
        (HistoryFilter(tags=frozenset(["hard"])), [5, 4, 3, 2, 1, 0]),
        (HistoryFilter(withdrawn=True), [5]),
        (HistoryFilter(withdrawn=False, tags=frozenset(["hard"])), [4, 3, 2, 1, 0]),
        (HistoryFilter(rater=BEN, outcomes=frozenset([Outcome.SKIP]), withdrawn=False), [11]),
    ],
)
def test_what_a_filter_lists(store: Store, chosen: HistoryFilter, expected: list[int]) -> None:
    assert numbers(store, chosen) == expected


@pytest.mark.parametrize("chosen", [HistoryFilter(), HistoryFilter(withdrawn=False)])
def test_pages_follow_one_another_without_gap_or_repetition(store: Store, chosen: HistoryFilter) -> None:
    everything = numbers(store, chosen)
    turned: list[int] = []
    for number in (1, 2, 3):
        here = page(store, STUDY, chosen, number, 4)
        turned += [int(ballot.vote.id) for ballot in here.ballots]
        assert here.more == (len(turned) < len(everything))
    assert turned == everything


def test_the_walk_ends_and_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "STEP", 2)
    monkeypatch.setattr(history, "FURTHEST", 4)
    first_half = HistoryFilter(prompts=frozenset([Q]))
    assert page(store, STUDY, first_half, 1, 5) == history.HistoryPage((), False, complete=False)
    second_half = HistoryFilter(prompts=frozenset([R]))
    assert page(store, STUDY, second_half, 1, 2).complete
    assert numbers(store, replace(second_half, rater=ANN)) == [10, 8, 6]
