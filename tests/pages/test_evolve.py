"""The Evolve screen: price before it is spent, cards to decide on, the loop, lineage and pool."""

from collections.abc import Iterator

import pytest

from optimizer.domain import Connection, Origin, Outcome, Study
from optimizer.evolution import run as loop
from optimizer.evolution.offers import OfferState
from optimizer.evolution.record import State
from optimizer.judges.scripted import answer_by, perfect
from optimizer.llm.base import Message, Request, Role
from optimizer.proposers.scripted import propose_by
from tests.fakes.openai_server import FakeServer
from tests.pages.visitor import Visitor

SCREEN = "host/evolve.py"


def child(material: dict, sample: int) -> str:
    """One step more than the prompt that it is made from, which a judge can count."""
    known = material.get("prompt") or material.get("reference")
    return f"{known['text']} step {material['variant']}, and mind *every* detail."


def reply(body: dict) -> str:
    rules, content = body["messages"][0]["content"], body["messages"][-1]["content"]
    request = Request((Message(Role.USER, content),))
    if "You write prompts" in rules:
        return propose_by(child, request)
    if "You compare" in rules:
        return answer_by(perfect(lambda text: text.count("detail")), request)
    return "Good " + "detail " * content.count("step")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(reply=reply) as running:
        yield running


@pytest.fixture
def study(visitor: Visitor, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Two prompts, one of which lost; and a connection with prices."""
    monkeypatch.setattr(loop, "POLL_S", 0.01)
    visitor.services.connections.put(
        Connection("Fake", server.url, "fake-model", input_price=1.0, output_price=2.0)
    )
    made = visitor.study(["Terse", "Warm"], ["one", "two", "three"], outputs=True)
    visitor.voted(made, [Outcome.FIRST, Outcome.SECOND, Outcome.FIRST])
    return made


def said(visitor: Visitor, key: str) -> str:
    """What a button says."""
    return str(visitor.at.button(key=key).label).replace("\\", "")


def opened(visitor: Visitor, tab: str) -> None:
    visitor.at.session_state["evolve_tab"] = tab
    visitor.run()


def drafted(visitor: Visitor, study: Study) -> None:
    """Proposals asked for on the screen, to their end."""
    visitor.go(SCREEN, study)
    visitor.click("evolve_start")
    assert visitor.services.evolution.jobs(study.id)[0].wait(20)
    visitor.run()


def test_the_price_stands_on_the_button_and_opening_the_screen_calls_nobody(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    at = visitor.go(SCREEN, study)
    assert said(visitor, "evolve_start").startswith("Propose 3 prompts: 3 calls, about ")
    assert "$0.00" in said(visitor, "evolve_start")
    assert server.calls == 0
    at.selectbox(key="evolve_proposer").set_value("control")
    visitor.run()
    assert said(visitor, "evolve_start") == "Propose 1 prompt: no call"
    at.selectbox(key="evolve_proposer").set_value("spo")
    visitor.run()
    at.number_input(key="evolve_count").set_value(1)
    visitor.run()
    assert "1 prompt: 1 call," in said(visitor, "evolve_start")


def test_cards_are_accepted_edited_and_rejected(visitor: Visitor, study: Study) -> None:
    drafted(visitor, study)
    offers = visitor.services.evolution.offers
    first, second, third = offers.all(study.id)
    shown = visitor.shown()
    assert "3 proposals to decide on" in shown
    assert "From reasons of Terse" in shown
    assert "mind **every** detail" not in shown  # it is shown as it was written
    visitor.click(f"accept_{first.id}")
    visitor.click(f"reject_{second.id}")
    visitor.click(f"edit_{third.id}")
    visitor.fill(**{f"text_{third.id}": "No variable"})
    visitor.run()
    assert visitor.at.button(key=f"accept_{third.id}").disabled
    assert "It lacks {{text}}." in visitor.shown()
    visitor.fill(**{f"text_{third.id}": "Quite another prompt for {{text}}.", f"name_{third.id}": "Mine"})
    visitor.run()
    visitor.click(f"accept_{third.id}")
    states = [offer.state for offer in offers.all(study.id)]
    assert states == [OfferState.ACCEPTED, OfferState.REJECTED, OfferState.ACCEPTED]
    prompts = visitor.services.store.prompts(study.id)
    assert [(one.name, one.origin) for one in prompts[2:]] == [
        ("Terse 2", Origin.PROPOSED), ("Mine", Origin.PROPOSED)
    ]  # fmt: skip
    visitor.click("evolve_reopen")
    assert "1 proposal to decide on" in visitor.shown()


def test_without_a_connection_the_screen_says_where_to_make_one(visitor: Visitor) -> None:
    bare = visitor.study(["Terse", "Warm"])
    visitor.go(SCREEN, bare)
    assert "connect to a model first" in visitor.shown()
    for tab in ("Run", "Lineage", "Pool"):
        opened(visitor, tab)
    empty = visitor.study()
    visitor.go(SCREEN, empty)
    opened(visitor, "Lineage")
    assert "no prompts yet" in visitor.shown()


def test_the_loop_runs_from_the_screen_and_its_family_is_drawn(visitor: Visitor, study: Study) -> None:
    at = visitor.go(SCREEN, study)
    opened(visitor, "Run")
    assert at.button(key="loop_start").disabled
    at.multiselect(key="loop_judges").set_value(["Fake"])
    at.selectbox(key="loop_proposer").set_value("top_mutation")
    for key, value in (("loop_rounds", 1), ("loop_votes", 8), ("loop_children", 1)):
        at.number_input(key=key).set_value(value)
    at.toggle(key="loop_automatic").set_value(True)
    visitor.run()
    assert "1 round: up to 1 proposal, 16 votes" in said(visitor, "loop_start")
    visitor.click("loop_start")
    (seen,) = visitor.services.evolution.runs(study.id)
    assert visitor.services.evolution.wait(seen.record.id, 30)
    visitor.run()
    (seen,) = visitor.services.evolution.runs(study.id)
    assert seen.record.state is State.DONE, seen.record
    assert "Done" in visitor.shown()
    assert "All rounds are played." in visitor.shown()

    opened(visitor, "Lineage")
    shown = visitor.shown()
    assert "What changed along the winning line" in shown
    assert "Did the outputs change in the intended respect?" in shown
    assert "Good detail" in shown
    opened(visitor, "Pool")
    assert "prompts in use" in visitor.shown()


def test_a_run_that_spent_its_budget_is_resumed_with_a_higher_one(visitor: Visitor, study: Study) -> None:
    at = visitor.go(SCREEN, study)
    opened(visitor, "Run")
    at.multiselect(key="loop_judges").set_value(["Fake"])
    for key, value in (("loop_rounds", 1), ("loop_votes", 4), ("loop_children", 1), ("loop_calls", 3)):
        at.number_input(key=key).set_value(value)
    at.toggle(key="loop_automatic").set_value(True)
    visitor.run()
    visitor.click("loop_start")
    (seen,) = visitor.services.evolution.runs(study.id)
    run = seen.record.id
    assert visitor.services.evolution.wait(run, 30)
    visitor.run()
    assert "Stopped by the budget" in visitor.shown()
    at.number_input(key=f"more_{run}_calls").set_value(200)
    visitor.run()
    visitor.click(f"resume_{run}")
    assert visitor.services.evolution.wait(run, 30)
    assert visitor.services.evolution.run(run).record.state is State.DONE
