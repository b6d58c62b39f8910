"""What the next duels need is there before they ask."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from optimizer.domain import Batch, Outcome, Output, OutputId, Rater, RaterId, Settings, StudyId
from optimizer.generation import Generation
from optimizer.generation.ahead import Ahead
from optimizer.generation.cells import Order
from optimizer.llm.budget import Budget
from optimizer.pairing import Pairing
from optimizer.storage.memory import MemoryStore
from optimizer.workshop import ShownDuel, Workshop
from tests.fakes.openai_server import FakeServer

STUDY = StudyId("study")
RATER = RaterId("rater")


@pytest.fixture
def plain(store: MemoryStore) -> MemoryStore:
    """No audits and no replays: these are drawn, not foreseen."""
    study = store.study(STUDY)
    store.replace(replace(study, settings=Settings(audit_share=0.0, replay_share=0.0)))
    store.add(Batch(raters=[Rater(RATER, STUDY, "Ann")]))
    return store


def outputs_everywhere(store: MemoryStore) -> None:
    store.add(
        Batch(
            outputs=[
                Output(OutputId(f"{p.id}-{i.id}"), STUDY, p.id, i.id, f"{p.id} on {i.id}")
                for p in store.prompts(STUDY)
                for i in store.inputs(STUDY)
            ]
        )
    )


def test_a_single_raters_duels_are_foreseen_audits_included(
    server: FakeServer, plain: MemoryStore, generation_on: Callable[..., Generation]
) -> None:
    """Whatever the votes say, every duel but the first finds its outputs made."""
    plain.replace(replace(plain.study(STUDY), settings=Settings(audit_share=0.25, replay_share=0.0)))
    pairing = Pairing(plain)
    generation = generation_on(plain)
    workshop, ahead = Workshop(plain, pairing), Ahead(plain, pairing, generation)
    ahead.follow(STUDY, "fake", Budget())
    answers = np.random.default_rng(3).choice([Outcome.FIRST, Outcome.SECOND, Outcome.BOTH_GOOD], 15)
    ahead.look(STUDY, RATER)
    audits = 0
    for answer in answers:
        _settle(ahead, generation)
        shown = workshop.next_live_duel(STUDY, RATER)
        assert isinstance(shown, ShownDuel)
        audits += shown.duel.audit
        ahead.look(STUDY, RATER)
        workshop.record_vote(shown.duel.id, RATER, Outcome(answer))
    assert audits >= 1
    assert server.answered == len(plain.output_index(STUDY))


def test_likely_pairs_get_outputs_on_inputs_that_they_have_not_met(plain: MemoryStore) -> None:
    ahead = Ahead(plain, Pairing(plain), Generation(plain, connections=None))  # type: ignore[arg-type]
    cells = ahead.cells(STUDY, RATER)
    assert 2 <= len(cells) <= 4  # one pair is likely before the first duel, on two inputs
    assert {cell.input for cell in cells} == {"i0", "i1"}
    outputs_everywhere(plain)
    assert ahead.cells(STUDY, RATER) == []


def test_a_study_that_is_followed_has_what_the_next_duel_needs(
    server: FakeServer, plain: MemoryStore, generation_on: Callable[..., Generation]
) -> None:
    pairing = Pairing(plain)
    generation = generation_on(plain)
    ahead = Ahead(plain, pairing, generation)
    workshop = Workshop(plain, pairing)
    ahead.look(STUDY, RATER)
    assert server.calls == 0  # not followed
    generation.start(Order(STUDY, "fake", inputs=tuple(row.id for row in plain.inputs(STUDY)[:1]))).wait(10)
    ahead.follow(STUDY, "fake", Budget(calls=14))
    for _ in range(8):
        shown = workshop.next_duel(STUDY, RATER)
        before = server.answered
        ahead.look(STUDY, RATER)
        _settle(ahead, generation)
        workshop.record_vote(shown.duel.id, RATER, Outcome.FIRST)
        assert server.answered - before <= 6  # three foreseen pairs on an input each
    assert 4 < server.answered <= 14
    assert ahead.following(STUDY) is not None
    ahead.unfollow(STUDY)
    made = server.answered
    ahead.look(STUDY, RATER)
    time.sleep(0.05)
    assert server.answered == made


def test_errors_ahead_of_need_are_kept_for_the_screen(
    plain: MemoryStore, generation_on: Callable[..., Generation]
) -> None:
    ahead = Ahead(plain, Pairing(plain), generation_on(plain))
    ahead.follow(STUDY, "missing", Budget())
    ahead.look(STUDY, RATER)
    end = time.monotonic() + 5
    while STUDY not in ahead.last_error and time.monotonic() < end:
        time.sleep(0.005)
    assert "no connection 'missing'" in ahead.last_error[STUDY]


def _settle(ahead: Ahead, generation: Generation) -> None:
    """Wait until work ahead of need has come and gone."""
    assert ahead.wait(10)
    for job in generation.jobs(STUDY):
        assert job.wait(10)


def test_after_closing_nothing_is_followed_and_nothing_is_at_work(
    server: FakeServer, plain: MemoryStore, generation_on: Callable[..., Generation]
) -> None:
    generation = generation_on(plain)
    ahead = Ahead(plain, Pairing(plain), generation)
    ahead.follow(STUDY, "fake", Budget(calls=14))
    ahead.look(STUDY, RATER)
    ahead.close()
    assert ahead.wait(0)
    assert ahead.following(STUDY) is None
    _settle(ahead, generation)
    made = server.calls
    outputs_before = len(plain.output_index(STUDY))
    ahead.look(STUDY, RATER)
    _settle(ahead, generation)
    assert (server.calls, len(plain.output_index(STUDY))) == (made, outputs_before)
