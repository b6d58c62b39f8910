"""The order of the votes, as selectors that follow it are told."""

from dataclasses import replace

import pytest

from optimizer.domain import (
    Batch,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    RaterKind,
    Settings,
    Study,
    StudyId,
    utc_now,
)
from optimizer.facts import history
from optimizer.pairing import Pairing
from optimizer.storage import open_store
from optimizer.storage.base import Store
from optimizer.workshop import Workshop

STUDY = StudyId("s")
ARM = {PromptId("p0"): 0, PromptId("p1"): 1}


@pytest.fixture
def store() -> Store:
    """Ann voted three times for prompt 0, a judge twice for prompt 1."""
    store = open_store("memory://")
    arms = [Prompt(prompt, STUDY, prompt, "{{x}}") for prompt in ARM]
    row = Input(InputId("x"), STUDY, {"x": "1"})
    outputs = [Output(OutputId(f"o{arm.id}"), STUDY, arm.id, row.id, arm.name) for arm in arms]
    raters = [Rater(RaterId("ann"), STUDY, "Ann"), Rater(RaterId("judge"), STUDY, "J", RaterKind.JUDGE)]
    study = Study(STUDY, "Test", settings=Settings(selector="random", replay_share=0.0))
    store.add(Batch([study], arms, [row], outputs, raters))
    workshop = Workshop(store, Pairing(store))
    for rater, liked, times in ((raters[0], "p0", 3), (raters[1], "p1", 2)):
        for _ in range(times):
            duel = workshop.next_duel(STUDY, rater.id).duel
            outcome = Outcome.FIRST if duel.first_prompt == liked else Outcome.SECOND
            workshop.record_vote(duel.id, rater.id, outcome)
    return store


def liked(store: Store, kind: RaterKind | None) -> list[int]:
    """The arm that each vote preferred, oldest first."""
    return [int(first if score else second) for first, second, score in history(store, STUDY, ARM, kind)]


def test_only_votes_of_the_wanted_raters_are_remembered(store: Store) -> None:
    assert liked(store, None) == [0, 0, 0, 1, 1]
    assert liked(store, RaterKind.HUMAN) == [0, 0, 0]
    assert liked(store, RaterKind.JUDGE) == [1, 1]


@pytest.mark.parametrize(
    ("selector", "told"),
    [("gaussian_process", True), ("colstim", True), ("maxinp", True), ("auto", False), ("rucb", False)],
)
def test_selectors_that_use_embeddings_get_them(store: Store, selector: str, told: bool) -> None:
    study = replace(store.study(STUDY), settings=Settings(selector=selector))
    pairing = Pairing(store)
    desk = store.asking.desk(STUDY, RaterId("ann"), utc_now())
    features = pairing.record(study, pairing.content(STUDY), desk).features
    assert (features is not None) is told
    if features is not None:
        assert features.shape[0] == 2


def test_a_rater_set_aside_is_forgotten(store: Store) -> None:
    store.replace(replace(store.rater(RaterId("ann")), set_aside_at=utc_now()))
    assert liked(store, None) == [1, 1]
