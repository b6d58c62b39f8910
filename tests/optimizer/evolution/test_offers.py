"""Proposals as they are drafted, checked and decided on."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from optimizer.domain import Input, InputId, Origin, Outcome, Prompt, PromptId
from optimizer.errors import BadInput, Conflict, NothingToPropose
from optimizer.evolution.checks import Check, acceptable, check, spotless
from optimizer.evolution.offers import OfferState
from optimizer.evolution.proposing import State
from optimizer.evolution.remembering import Remembering
from optimizer.llm.base import FloatArray, Request
from optimizer.llm.budget import Budget
from optimizer.llm.errors import KeyRefused
from optimizer.llm.hashed import HashedEmbedder
from optimizer.llm.scripted import Scripted
from optimizer.proposers import PROPOSERS
from optimizer.proposers.dials import Dial
from optimizer.proposers.scripted import propose_by
from tests.optimizer.evolution_world import better, make_evolved
from tests.optimizer.judging_world import STUDY

PARENT = Prompt(PromptId("p"), STUDY, "Parent", "Answer {{q}} for a {{reader}} in plain words.")
ROW = Input(InputId("i"), STUDY, {"q": "why", "reader": "child", "mood": "gay"})


def looked(text: str, **known: bool) -> dict[str, Check]:
    found = check(text, [PARENT], [PARENT], [ROW], HashedEmbedder(), **known)
    return {one.label: one for one in found}


@pytest.mark.parametrize(
    ("text", "failing"),
    [
        ("Tell a {{reader}} about {{q}}: three steps, each on a line of its own, and no jargon.", set()),
        ("Answer {{q}} in three steps, each on a line of its own.", {"Variables"}),
        ("Answer {{q}} for a {{reader}} of {{age}} years, in three steps.", {"Variables"}),
        ("answer {{q}}  for a {{reader}}\nin plain words.", {"New text", "New wording"}),
        ("Answer {{q}} for a {{reader}} in plain words!", {"New wording"}),
        ("   ", {"Variables", "New text"}),
        ("Tell a {{reader}} about {{q}}. " * 60, {"Length"}),
        ("{{q}} {{reader}} \0", {"New text"}),
    ],
)  # fmt: skip
def test_what_a_check_finds(text: str, failing: set[str]) -> None:
    found = looked(text)
    assert {label for label, one in found.items() if not one.passed} == failing
    assert spotless(tuple(found.values())) is not bool(failing)
    assert acceptable(tuple(found.values())) is not bool(failing & {"Variables", "New text"})


def test_a_dials_child_may_differ_in_a_number_alone() -> None:
    assert "New wording" not in looked(PARENT.text + " 7", by_number=True)


def test_proposals_are_kept_as_they_come_and_decided_once() -> None:
    found = make_evolved()
    found.drafted(found.order(count=3))
    offers = found.evolution.offers
    first, second, third = offers.all(STUDY)
    assert {one.state for one in (first, second, third)} == {OfferState.OPEN}
    assert len({one.text for one in (first, second, third)}) == 3
    assert (first.calls, first.connection, first.proposer) == (1, "poet", "top_mutation")
    before = len(found.store.prompts(STUDY))

    prompt = offers.accept(first.id)
    assert (prompt.origin, prompt.parent, prompt.text) == (Origin.PROPOSED, first.parents[0], first.text)
    assert prompt.note == first.change
    with pytest.raises(Conflict, match="accepted"):
        offers.accept(first.id)
    edited = offers.accept(second.id, text="Hidden text 70, by hand, for {{x}}", name="By hand")
    assert (edited.name, edited.note) == ("By hand", f"{second.change} (edited by hand)")
    offers.reject(third.id)
    with pytest.raises(Conflict, match="rejected"):
        offers.accept(third.id)
    offers.reopen(third.id)
    with pytest.raises(BadInput, match="lacks"):
        offers.accept(third.id, text="Nothing of the kind")
    assert len(found.store.prompts(STUDY)) == before + 2
    reread = make_evolved(store=found.store).evolution.offers.all(STUDY)
    assert [one.state for one in reread] == [OfferState.ACCEPTED, OfferState.ACCEPTED, OfferState.OPEN]


BAD_CHILDREN: dict[str, Callable[[str], str]] = {
    "without its variables": lambda parent: "Say something nice.",
    "the parent again": lambda parent: parent,
    "the parent in capitals": lambda parent: parent.upper().replace("{{X}}", "{{x}}") + "  ",
    "with an unknown variable": lambda parent: f"{parent} and {{{{mood}}}}",
}


@pytest.mark.parametrize("kind", BAD_CHILDREN)
@pytest.mark.parametrize("name", [name for name, one in PROPOSERS.items() if one.needs_model])
def test_no_proposer_gets_a_bad_child_into_the_pool(name: str, kind: str) -> None:
    texts = {"text": "Hidden text 2 {{x}}"}  # what induction, which sees no prompt, is made to repeat

    def rule(material: Mapping[str, Any], sample: int) -> str:
        parent = material.get("prompt") or material.get("reference") or material.get("first") or texts
        return BAD_CHILDREN[kind](parent["text"])

    found = make_evolved(rule=rule)
    for one, other, row in (("p0", "p2", "x0"), ("p2", "p1", "x1"), ("p1", "p0", "x2")):
        found.world.vote(one, other, row, Outcome.FIRST)
    found.drafted(found.order(name, count=1))
    (offer,) = found.evolution.offers.all(STUDY)
    assert not acceptable(found.evolution.offers.checks(offer))
    with pytest.raises(BadInput):
        found.evolution.offers.accept(offer.id)
    assert len(found.store.prompts(STUDY)) == 3


def test_a_proposal_is_compared_with_earlier_ones_too() -> None:
    found = make_evolved(rule=lambda material, sample: "Another way to put it, for {{x}}, in one line.")
    found.drafted(found.order(count=2))
    passed = [acceptable(found.evolution.offers.checks(one)) for one in found.evolution.offers.all(STUDY)]
    assert sorted(passed) == [False, True]


def test_an_embedder_is_asked_for_each_text_once() -> None:
    asked: list[str] = []

    class Counting(HashedEmbedder):
        def embed(self, texts: Sequence[str]) -> FloatArray:
            asked.extend(texts)
            return super().embed(texts)

    remembering = Remembering(Counting())
    rows = remembering.embed(["a b", "c", "a b"])
    assert (rows[0] == rows[2]).all()
    assert (remembering.embed(["c", "d"])[0] == rows[1]).all()
    assert asked == ["a b", "c", "d"]


def test_two_windows_that_accept_at_once_make_one_prompt() -> None:
    found = make_evolved()
    found.drafted(found.order(count=1))
    (offer,) = found.evolution.offers.all(STUDY)
    came: list[object] = []
    gate = threading.Barrier(4)

    def accept() -> None:
        gate.wait()
        try:
            came.append(found.evolution.offers.accept(offer.id))
        except Conflict as fault:
            came.append(fault)

    threads = [threading.Thread(target=accept) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Prompt) for one in came) <= 1
    assert [prompt.id for prompt in found.store.prompts(STUDY)].count(offer.prompt) == 1
    assert found.evolution.offers.all(STUDY)[0].state is OfferState.ACCEPTED


def test_a_malformed_answer_gives_an_error_and_no_prompt_and_the_others_go_on() -> None:
    def reply(request: Request) -> str:
        return "I would rather not." if request.sample == 1 else propose_by(better, request)

    found = make_evolved(poet=Scripted(reply, "poet"))
    found.drafted(found.order(count=3))
    offers = found.evolution.offers.all(STUDY)
    assert sorted(one.state for one in offers) == ["failed", "open", "open"]
    (failed,) = (one for one in offers if one.state is OfferState.FAILED)
    assert failed.text == ""
    assert failed.calls == 2
    assert "could not be read" in failed.error
    with pytest.raises(Conflict, match="failed"):
        found.evolution.offers.accept(failed.id)


def test_a_budget_is_kept_and_a_refused_key_stops_the_order() -> None:
    found = make_evolved()
    job = found.evolution.propose(found.order(count=5, budget=Budget(calls=2)))
    assert job.wait(20)
    assert (job.progress().state, job.progress().spent.calls) == (State.SPENT, 2)
    assert len(found.evolution.offers.all(STUDY)) == 2

    def refuse(request: Request) -> str:
        raise KeyRefused("The key was refused.")

    other = make_evolved(poet=Scripted(refuse, "poet"))
    job = other.evolution.propose(other.order(count=5))
    assert job.wait(20)
    assert (job.progress().state, job.progress().last_error) == (State.STOPPED, "The key was refused.")


@pytest.mark.parametrize("name", [name for name, one in PROPOSERS.items() if one.needs_model])
def test_the_price_is_known_before_and_calls_nobody(name: str) -> None:
    def reply(request: Request) -> str:
        raise AssertionError("called")

    found = make_evolved(poet=Scripted(reply, "poet"))
    for one, other, row in (("p0", "p2", "x0"), ("p2", "p1", "x1"), ("p1", "p0", "x2")):
        found.world.vote(one, other, row, Outcome.FIRST)
    most = found.evolution.estimate(found.order(name, count=4))
    assert (most.proposals, most.calls) == (4, 4)
    assert most.tokens > 4 * 300
    assert most.money is None


def test_orders_that_cannot_be_are_refused() -> None:
    found = make_evolved()
    with pytest.raises(BadInput, match="Known are"):
        found.evolution.estimate(found.order("magic"))
    with pytest.raises(BadInput, match="needs a connection"):
        found.evolution.estimate(found.order(connection=""))
    with pytest.raises(BadInput, match="1 to 20"):
        found.evolution.estimate(found.order(count=0))
    with pytest.raises(BadInput, match="set point"):
        found.evolution.estimate(found.order("control", connection=""))
    with pytest.raises(NothingToPropose, match="voted against"):
        found.evolution.estimate(found.order("from_reasons"))
    with pytest.raises(BadInput, match="prices"):
        found.evolution.estimate(found.order(budget=Budget(money=1.0)))


def test_a_dial_is_turned_without_a_model() -> None:
    found = make_evolved()
    dial = Dial("words", 40, 3)
    found.drafted(found.order("control", connection="", dial=dial))
    (offer,) = found.evolution.offers.all(STUDY)
    assert offer.text.endswith("Write about 40 words.")
    assert offer.calls == 0
    assert found.evolution.offers.accept(offer.id).text == offer.text


def test_the_brief_of_a_study_never_swaps_winner_and_loser() -> None:
    """Both ways round, on both sides, and after an undo."""
    found = make_evolved()
    world = found.world
    world.vote("p2", "p0", "x0", Outcome.FIRST)
    world.vote("p1", "p2", "x1", Outcome.SECOND)
    world.vote("p2", "p1", "x2", Outcome.SECOND)
    world.vote("p0", "p2", "x3", Outcome.FIRST)
    undone = world.vote("p2", "p1", "x4", Outcome.SECOND)
    world.vote("p0", "p1", "x5", Outcome.BOTH_GOOD)
    world.vote("p0", "p1", "x5", Outcome.SKIP)
    bad = world.vote("p1", "p2", "x0", Outcome.BOTH_BAD)
    for ballot in found.store.ballots(STUDY, duel=undone.id):
        found.store.withdraw_vote(ballot.vote.id, ballot.vote.at)
    brief = found.evolution.briefs.brief(found.order("from_reasons"), 0)
    told = {(str(one.input), one.preferred.prompt, one.other.prompt, one.both_bad) for one in brief.duels}
    assert told == {
        ("x0", "p2", "p0", False),
        ("x1", "p2", "p1", False),
        ("x2", "p1", "p2", False),
        ("x3", "p0", "p2", False),
        ("x0", "p1", "p2", True),
    }
    for one in brief.duels:  # and the text is that of the prompt named
        for side in (one.preferred, one.other):
            assert side.output.startswith(f"quality {side.prompt[1]} on {one.input}")
    assert next(one for one in brief.duels if one.both_bad).shown_first == bad.first_prompt
    assert {example.output for example in brief.examples} == {
        "quality 2 on x0", "quality 2 on x1", "quality 1 on x2", "quality 0 on x3"
    }  # fmt: skip
    wins = {one.id: (one.won, one.lost) for one in brief.pool}
    assert wins[PromptId("p2")] == ({"x0", "x1"}, {"x2", "x3"})


def test_reasons_stay_on_the_side_that_they_were_given_to() -> None:
    found = make_evolved()
    found.world.vote("p2", "p1", "x0", Outcome.FIRST)
    duel = found.world.vote("p2", "p1", "x1", Outcome.SECOND)  # p2 leads no more clearly, but by name order
    (vote,) = (ballot.vote for ballot in found.store.ballots(STUDY, duel=duel.id))
    found.store.note_vote(vote.id, ["too long"], ["useful"], "the left one rambles", vote.at)
    brief = found.evolution.briefs.brief(found.order("from_reasons"), 0)
    told = next(one for one in brief.duels if one.comment)
    assert (told.preferred.prompt, told.preferred.reasons) == ("p1", ("useful",))
    assert (told.other.prompt, told.other.reasons) == ("p2", ("too long",))
    assert told.shown_first == "p2"


def test_the_kinds_of_an_input_are_its_tags_and_how_many_share_them() -> None:
    found = make_evolved()
    rows = found.store.inputs(STUDY)
    for row in rows[:2]:
        found.store.replace(Input(row.id, row.study, row.variables, ("long",), row.created_at))
    found.world.vote("p0", "p2", "x0", Outcome.FIRST)
    found.world.vote("p0", "p2", "x5", Outcome.FIRST)
    brief = found.evolution.briefs.brief(found.order("from_reasons"), 0)
    told = {str(one.input): (one.kinds, one.share) for one in brief.duels}
    assert told == {
        "x0": (("long",), "2 of 6 inputs"),
        "x5": ((), "this input alone, as far as is known"),
    }


def test_without_votes_examples_are_outputs_that_were_brought_along() -> None:
    brief = make_evolved().evolution.briefs.brief(make_evolved().order("induction"), 0)
    assert len(brief.examples) == 6
    assert json.dumps([dict(one.variables) for one in brief.examples])
