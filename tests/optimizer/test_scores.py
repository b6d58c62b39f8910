"""Numeric scores that come with outputs: read, kept, handed to the selector that needs them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from optimizer.checks import read_score, score_of
from optimizer.domain import (
    Batch,
    Input,
    InputId,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Settings,
    Study,
    StudyId,
)
from optimizer.errors import BadInput
from optimizer.facts import as_array, given, next_to_score, scored
from optimizer.pairing import Pairing
from optimizer.selectors import offered
from optimizer.selectors.base import Need
from optimizer.storage.base import Store
from optimizer.storage.memory import MemoryStore
from optimizer.workshop import Workshop

STUDY = StudyId("s")
TEXTS = ("Be brief about {{x}}.", "Tell a long story of {{x}}.", "List facts on {{x}}.")
SCORES = (0.9, 0.2, None)  # by prompt; the third was never scored


def output(prompt: int, row: int, score: float | None) -> Output:
    settings = {} if score is None else {"score": score}
    id = OutputId(f"o{prompt}{row}")
    return Output(
        id, STUDY, PromptId(f"p{prompt}"), InputId(f"x{row}"), f"{prompt} on {row}", settings=settings
    )


@pytest.fixture
def store() -> Store:
    store = MemoryStore()
    prompts = [Prompt(PromptId(f"p{n}"), STUDY, f"P{n}", text) for n, text in enumerate(TEXTS)]
    inputs = [Input(InputId(f"x{n}"), STUDY, {"x": str(n)}) for n in range(4)]
    outputs = [output(n, m, score) for n, score in enumerate(SCORES) for m in range(4)]
    study = Study(STUDY, "S", settings=Settings(selector="instinct", audit_share=0.0, replay_share=0.0))
    store.add(Batch([study], prompts, inputs, outputs))
    return store


def test_scores_are_those_of_outputs_that_can_be_shown(store: Store) -> None:
    broken = replace(output(2, 0, 5.0), id=OutputId("bad"), sample=1, error="cut off")
    store.add(Batch(outputs=[broken]))
    rows = scored(store, STUDY)
    assert rows == tuple([(PromptId("p0"), 0.9)] * 4 + [(PromptId("p1"), 0.2)] * 4)
    assert as_array(rows, {PromptId("p1"): 0}).tolist() == [[0.0, 0.2]] * 4
    store.add(Batch(outputs=[replace(broken, id=OutputId("good"), sample=2, error="")]))
    assert scored(store, STUDY)[-1] == (PromptId("p2"), 5.0)


def test_a_duel_chosen_by_scores_holds_the_leader_of_the_scores(store: Store) -> None:
    rater = Rater(RaterId("ann"), STUDY, "Ann")
    store.add(Batch(raters=[rater]))
    asked = Workshop(store, Pairing(store)).next_duel(STUDY, rater.id).duel
    assert asked.selector == "instinct"
    assert PromptId("p0") in (asked.first_prompt, asked.second_prompt)
    assert asked.expires_at - asked.asked_at == timedelta(days=1)


def test_what_was_never_scored_is_worth_scoring_and_without_scores_nothing_is(store: Store) -> None:
    prompts = store.prompts(STUDY)
    assert next_to_score(store, STUDY, prompts) in {prompt.id for prompt in prompts}
    few = MemoryStore()
    few.add(Batch([Study(STUDY, "S")], prompts, store.inputs(STUDY), [output(0, 0, 0.5), output(1, 0, 0.4)]))
    assert next_to_score(few, STUDY, prompts) == PromptId("p2")  # the first few go to those scored least
    bare = MemoryStore()
    bare.add(Batch([Study(STUDY, "S")], prompts))
    assert next_to_score(bare, STUDY, prompts) is None


@pytest.mark.parametrize("has_scores", [False, True])
def test_the_selector_on_scores_is_offered_where_there_are_scores(has_scores: bool) -> None:
    (offer,) = (
        offer for offer in offered(given(budget=False, scores=has_scores)) if offer.name == "instinct"
    )
    assert (offer.missing is None) is has_scores
    assert Need.HISTORY in given(budget=False, scores=False)


def test_a_score_is_a_number_or_nothing() -> None:
    assert read_score(" ") is None
    assert read_score(" -1.5e2") == -150.0
    for wrong in ("good", "nan", "inf", "1,5", "0x1"):
        with pytest.raises(BadInput, match="not a number"):
            read_score(wrong)
    assert score_of(output(0, 0, 1.0)) == 1.0
    assert score_of(replace(output(0, 0, None), settings={"score": True})) is None
    assert np.isclose(score_of(replace(output(0, 0, None), settings={"score": 3})) or 0.0, 3.0)
