"""The duel screen of a study whose outputs come from a live model."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from optimizer.domain import Connection, Outcome, Study
from optimizer.llm import lane
from tests.fakes.openai_server import FakeServer, Fault
from tests.pages.visitor import Visitor

SCREEN = "rater/duel.py"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture
def study(visitor: Visitor, server: FakeServer) -> Study:
    """A study without outputs whose settings name a connection."""
    visitor.services.connections.put(Connection("Fake", server.url, "fake-model", max_tokens=100))
    made = visitor.study(["Terse", "Warm", "Formal"], ["one", "two", "three", "four"])
    settings = replace(made.settings, connection="Fake", audit_share=0.0, replay_share=0.0)
    return visitor.services.studies.edit(made.id, settings=settings)


def keys(visitor: Visitor) -> list[str]:
    return [str(button.key) for button in visitor.at.button]


def votable(visitor: Visitor) -> bool:
    return visitor.pair() is not None


def vote(visitor: Visitor) -> None:
    visitor.click("vote_A")


def settle(visitor: Visitor, study: Study) -> None:
    """Wait until the outputs for the next duels are there."""
    assert visitor.services.ahead.wait(10)
    for job in visitor.services.generation.jobs(study.id):
        assert job.wait(10)


def test_opening_the_first_duel_writes_its_two_outputs_and_then_asks_it(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    visitor.go(SCREEN, study)
    assert votable(visitor)
    assert "Answer" in visitor.shown()
    (duel,) = visitor.services.store.last_duels(study.id, None, 5)
    assert duel.first_prompt != duel.second_prompt
    vote(visitor)
    assert visitor.services.store.counters(study.id).votes == 1


def test_the_reveal_says_what_each_output_took(visitor: Visitor, study: Study) -> None:
    connection = visitor.services.connections.named("Fake")
    visitor.services.connections.put(replace(connection, input_price=1_000.0, output_price=2_000.0))
    visitor.go(SCREEN, study)
    vote(visitor)
    visitor.click("tool_L")
    (ballot,) = visitor.services.store.ballots(study.id)
    took = visitor.services.store.output(ballot.duel.first).usage
    assert took["cost"] > 0.01
    assert f"{took['total_tokens']:.0f} tokens · ${took['cost']:.2f} · fake-model" in visitor.shown()


def test_outputs_are_there_before_a_vote_asks_for_them(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    visitor.go(SCREEN, study)
    for _ in range(5):
        settle(visitor, study)
        before = server.calls
        shown = visitor.services.workshop.next_live_duel(study.id, visitor.rater(study).id)
        visitor.services.workshop.record_vote(shown.duel.id, shown.duel.rater, Outcome.FIRST)
        found = visitor.services.workshop.next_live_duel(study.id, visitor.rater(study).id)
        assert hasattr(found, "duel"), "the next duel was not ready"
        assert server.calls == before
        visitor.run()
        assert votable(visitor)


def test_the_budget_of_the_study_is_kept_and_the_rest_is_voted_on(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    visitor.services.studies.edit(study.id, settings=replace(study.settings, output_calls=2))
    visitor.go(SCREEN, study)
    settle(visitor, study)
    assert votable(visitor)
    vote(visitor)
    assert server.calls == 2
    assert any("2 of 2 calls" in error.value for error in visitor.at.error)
    visitor.click("ready_only")
    assert votable(visitor)
    assert "No outputs are generated for you" in visitor.shown()
    assert server.calls == 2
    visitor.services.studies.edit(study.id, settings=replace(study.settings, output_calls=20))
    visitor.click("live_again")
    vote(visitor)
    settle(visitor, study)
    assert server.calls > 2


def test_a_side_that_fails_says_why_and_is_tried_again_on_request_alone(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    server.faults.append(Fault.TOO_LONG)
    visitor.go(SCREEN, study)
    assert not votable(visitor)
    assert all(button.disabled for button in visitor.at.button if str(button.key).startswith("vote_"))
    assert len([key for key in keys(visitor) if key.startswith("retry_")]) == 1
    assert len(visitor.services.store.output_index(study.id)) == 1  # the other side was not blocked
    assert server.calls == 2
    visitor.run()
    assert server.calls == 2
    visitor.click(next(key for key in keys(visitor) if key.startswith("retry_")))
    assert votable(visitor)
    settle(visitor, study)  # what comes next is made already
    assert max(server.answers.values()) == 1  # nothing was paid for twice


def test_an_output_that_quotes_its_prompt_is_not_shown_and_neither_is_the_prompt(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    told = "Be brief, be friendly, and never promise what the shop cannot keep"
    for prompt in visitor.services.store.prompts(study.id)[:2]:
        visitor.services.prompts.retire(study.id, prompt.id)
    visitor.services.prompts.write(study.id, "Secretive", f"{told}: {{{{text}}}}")
    server.reply = lambda body: f"You said: {told}." if told in str(body) else "Something else."
    visitor.go(SCREEN, study)
    assert not votable(visitor)
    (error,) = visitor.at.error
    assert "quoted its own prompt" in error.value
    assert told not in visitor.shown()
    server.reply = lambda _: "A good answer."
    visitor.click(next(key for key in keys(visitor) if key.startswith("retry_")))
    assert votable(visitor)
    assert told not in visitor.shown()


def test_another_pair_leaves_what_was_held_back_alone(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    server.faults.append(Fault.EMPTY)
    visitor.go(SCREEN, study)
    assert not votable(visitor)
    held = next(key for key in visitor.services.store.output_index(study.id) if not key.usable)
    visitor.click("another_pair")
    assert votable(visitor)
    (duel,) = visitor.services.store.last_duels(study.id, None, 5)
    cells = {(duel.first_prompt, duel.input), (duel.second_prompt, duel.input)}
    assert (held.prompt, held.input) not in cells


def test_a_connection_that_is_gone_is_said_and_does_not_end_the_voting(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    visitor.services.connections.remove("Fake")
    visitor.go(SCREEN, study)
    assert len(visitor.at.error) == 2
    assert "no connection 'Fake'" in visitor.at.error[0].value.replace("\\", "")
    visitor.click("ready_only")
    assert any("No two prompts have an output" in info.value for info in visitor.at.info)


def test_a_study_without_a_connection_calls_nobody(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    visitor.services.studies.edit(study.id, settings=replace(study.settings, connection=""))
    visitor.go(SCREEN, study)
    assert any("No two prompts have an output" in info.value for info in visitor.at.info)
    assert server.calls == 0
