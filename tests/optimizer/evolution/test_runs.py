"""The whole loop: rounds, budget, stop advice, cancel, resume, whose votes count; and nothing done twice."""

from collections import Counter
from dataclasses import replace
from threading import Event

import pytest

from optimizer.domain import Origin, Outcome, PromptId, RaterKind, utc_now
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.evolution.offers import OfferState
from optimizer.evolution.plan import Plan, Votes, plan_body, plan_of
from optimizer.evolution.record import Phase, Point, Record, State, document_of, record_of
from optimizer.evolution.service import unfinished
from optimizer.judges import JudgeSettings
from optimizer.judging.plan import Seat
from optimizer.llm.base import Request
from optimizer.llm.budget import Budget, Spend
from optimizer.llm.scripted import Scripted
from optimizer.newcomers import FIRST_DUELS
from optimizer.proposers.dials import Dial
from optimizer.proposers.scripted import propose_by
from tests.optimizer.evolution_world import Evolved, better, level, make_evolved
from tests.optimizer.judging_world import STUDY


def leader(found: Evolved) -> str:
    chosen = found.plan().votes.chosen
    rows = found.world.results.standings(found.study, chosen).rows
    return next(row.prompt.text for row in rows if row.prompt.retired_at is None)


def test_the_loop_improves_the_pool_and_keeps_what_it_did() -> None:
    found = make_evolved()
    seen = found.run(found.plan())
    record = seen.record
    assert (record.state, record.round, seen.alive) == (State.DONE, 2, False), record
    prompts = found.store.prompts(STUDY)
    children = [prompt for prompt in prompts if prompt.origin is Origin.PROPOSED]
    assert len(children) == 4
    assert level(leader(found)) >= 20  # a grandchild of the first leader
    assert {offer.state for offer in found.evolution.offers.all(STUDY)} == {OfferState.ACCEPTED}
    # Nobody became leader without votes, and every newcomer had its first duels.
    met = Counter(
        prompt
        for ballot in found.store.ballots(STUDY)
        for prompt in (ballot.duel.first_prompt, ballot.duel.second_prompt)
    )
    assert all(met[child.id] >= FIRST_DUELS for child in children if child.retired_at is None)
    assert record.points[0].chance < record.points[-1].chance  # against the first prompt
    assert record.points[-1].chance > 0.85
    assert [point.votes for point in record.points] == sorted({point.votes for point in record.points})
    assert all(point.low <= point.chance <= point.high for point in record.points)
    # One account for proposals, outputs and verdicts.
    proposals = sum(offer.calls for offer in found.evolution.offers.all(STUDY))
    outputs = sum("request_hash" in output.settings for output in found.store.outputs(STUDY))
    verdicts = len(found.store.ballots(STUDY))
    assert record.spent.calls == proposals + outputs + verdicts
    assert found.store.check() == []
    assert found.evolution.runs(STUDY) == [seen]


@pytest.mark.parametrize("calls", [3, 17, 30])
def test_a_budget_is_kept_over_all_that_a_run_does(calls: int) -> None:
    found = make_evolved()
    seen = found.run(found.plan(budget=Budget(calls=calls)))
    assert seen.record.state is State.SPENT
    assert seen.record.spent.calls <= calls
    assert "Raise it" in seen.record.error
    more = found.ended(found.evolution.resume(seen.record.id, budget=Budget(calls=500)))
    assert more.record.state is State.DONE
    assert more.record.spent.calls > calls
    assert len(found.evolution.offers.all(STUDY)) == 4  # none was drafted twice
    assert len({offer.text for offer in found.evolution.offers.all(STUDY)}) == 4


def test_a_run_that_was_stopped_goes_on_in_another_process() -> None:
    """Stopped in mid-proposal by hand; resumed by services that know it from its document alone."""
    reached, go_on = Event(), Event()

    def slow(request: Request) -> str:
        reached.set()
        assert go_on.wait(20)
        return propose_by(better, request)

    found = make_evolved(poet=Scripted(slow, "poet"))
    run = found.evolution.start(found.plan())
    assert reached.wait(20)
    with pytest.raises(Conflict, match="at work"):
        found.evolution.start(found.plan())
    found.evolution.cancel(run)
    go_on.set()
    seen = found.ended(run)
    assert (seen.record.state, seen.record.phase) == (State.CANCELLED, Phase.PROPOSE)
    before, spent = found.store.ballots(STUDY), seen.record.spent
    assert 0 < len(before) <= 16  # the leader may be clear a vote or two earlier, on a slow machine

    other = make_evolved(store=found.store)
    assert unfinished(other.evolution.runs(STUDY)) == seen.record
    again = other.ended(other.evolution.resume(run))
    assert again.record.state is State.DONE
    assert again.record.spent.calls > spent.calls
    assert len(again.record.leaders) == 3
    after = other.store.ballots(STUDY)
    assert {ballot.vote.id for ballot in before} <= {ballot.vote.id for ballot in after}
    assert len(before) < len(after) <= 3 * 16
    assert len({ballot.duel.id for ballot in after}) == len(after)
    assert len(other.evolution.offers.all(STUDY)) == 4
    with pytest.raises(Conflict, match="over"):
        other.evolution.resume(run)
    assert unfinished(other.evolution.runs(STUDY)) is None


def test_a_run_whose_process_died_is_seen_and_goes_on_where_it_was() -> None:
    found = make_evolved()
    half = found.run(found.plan(rounds=1)).record
    crashed = replace(half, id="crashed", plan=found.plan(rounds=3), state=State.RUNNING, phase=Phase.PROPOSE)
    found.store.documents.put(document_of(replace(crashed, round=2), 0))
    (seen, _) = found.evolution.runs(STUDY)
    assert (seen.record.id, seen.alive) == ("crashed", False)
    assert unfinished(found.evolution.runs(STUDY)) == seen.record
    assert found.ended(found.evolution.resume("crashed")).record.state is State.DONE


def test_proposals_wait_for_a_person_unless_the_host_says_otherwise() -> None:
    found = make_evolved()
    run = found.evolution.start(found.plan(automatic=False, rounds=1))
    found.until(run, Phase.REVIEW, 1)
    assert all(prompt.origin is not Origin.PROPOSED for prompt in found.store.prompts(STUDY))
    kept, dropped = found.evolution.offers.all(STUDY, run)
    found.evolution.offers.reject(dropped.id)
    found.evolution.offers.accept(kept.id)
    assert found.ended(run).record.state is State.DONE
    assert [p.id for p in found.store.prompts(STUDY) if p.origin is Origin.PROPOSED] == [kept.prompt]


def test_what_fails_a_check_does_not_enter_unseen() -> None:
    found = make_evolved(rule=lambda material, sample: "No variable at all")
    seen = found.run(found.plan(rounds=1))
    assert seen.record.state is State.DONE
    assert len(found.store.prompts(STUDY)) == 3
    assert {offer.state for offer in found.evolution.offers.all(STUDY)} == {OfferState.OPEN}
    assert any("wait for you" in news.text for news in seen.record.news)


def test_where_reasons_are_lacking_mutation_stands_in() -> None:
    found = make_evolved()
    seen = found.run(found.plan(proposer="from_reasons", rounds=1))
    assert seen.record.state is State.DONE
    assert {offer.proposer for offer in found.evolution.offers.all(STUDY)} == {"top_mutation"}
    assert any("'Mutate the top' stands in" in news.text for news in seen.record.news)


def test_a_dial_that_is_in_its_band_ends_the_run() -> None:
    found = make_evolved()
    plan = found.plan(proposer="control", writer="", dial=Dial("words", 4, 1), children=1, rounds=4)
    seen = found.run(plan)
    assert (seen.record.state, seen.record.round) == (State.DONE, 2)
    assert "within the band" in seen.record.news[-1].text


def test_a_model_that_only_talks_stops_the_run_with_its_error() -> None:
    found = make_evolved(poet=Scripted(lambda request: "Let me think.", "poet"))
    seen = found.run(found.plan())
    assert seen.record.state is State.STOPPED
    assert "could not be read" in seen.record.error
    assert len(found.store.prompts(STUDY)) == 3


def test_rounds_without_a_better_leader_bring_the_advice_to_stop() -> None:
    found = make_evolved(rule=lambda material, sample: f"Hidden text -{sample + 1} or worse {{{{x}}}}")
    found.world.connect("writer", Scripted(lambda request: "quality -1 of this one", "writer"))
    seen = found.run(found.plan(rounds=9, patience=2))
    assert seen.record.state is State.ADVISED
    assert seen.record.round == 2
    assert "advice is to stop" in seen.record.news[-1].text


def test_people_alone_may_vote_and_are_waited_for() -> None:
    found = make_evolved()
    plan = found.plan(votes=Votes.PEOPLE, judges=(), rounds=1, round_votes=3)
    run = found.evolution.start(plan)
    found.until(run, Phase.DUELS, 0)
    for x in range(3):
        found.world.vote("p2", "p1", f"x{x}", Outcome.FIRST)
    found.until(run, Phase.DUELS, 1)  # the proposals are there, and the second round waits
    (child, _) = (p for p in found.store.prompts(STUDY) if p.origin is Origin.PROPOSED)
    shown = {output.input: output.id for output in found.store.outputs(STUDY, child.id)}
    for row in list(shown)[:3]:
        found.world.vote(child.id, "p2", row, Outcome.FIRST, first_output=shown[row])
    assert found.ended(run).record.state is State.DONE
    assert {found.store.rater(b.vote.rater).kind for b in found.store.ballots(STUDY)} == {RaterKind.HUMAN}


def test_votes_that_were_cast_before_count_for_the_first_round() -> None:
    found = make_evolved()
    for x in range(6):
        found.world.vote("p2", "p1", f"x{x}", Outcome.FIRST)
        found.world.vote("p2", "p0", f"x{x}", Outcome.FIRST)
    seen = found.run(found.plan(votes=Votes.BOTH, rounds=1, round_votes=12))
    assert seen.record.state is State.DONE
    assert seen.record.first == PromptId("p2")
    cast = [b for b in found.store.ballots(STUDY) if b.vote.rater.startswith("judge")]
    assert len(cast) <= 12  # none before the first proposals


def test_the_first_round_waits_for_prompts_that_nobody_has_seen() -> None:
    found = make_evolved()
    for x in range(6):
        found.world.vote("p2", "p1", f"x{x}", Outcome.FIRST)
    found.run(found.plan(votes=Votes.BOTH, rounds=1, round_votes=6))
    first = [b.duel for b in reversed(found.store.ballots(STUDY)) if b.vote.rater.startswith("judge")][:6]
    assert any("p0" in (duel.first_prompt, duel.second_prompt) for duel in first)


def test_a_weak_pool_is_evolved_at_once() -> None:
    found = make_evolved(judge=lambda first, second, sample: Outcome.BOTH_BAD)
    seen = found.run(found.plan(rounds=1, round_votes=200))
    assert any("The pool is weak" in news.text for news in seen.record.news)


def test_the_pool_stays_bounded_and_what_a_person_brings_back_stays() -> None:
    found = make_evolved(prompts=5)
    seen = found.run(found.plan(rounds=2, round_votes=40, most_prompts=4))
    record = seen.record
    gone = [prompt for prompt in found.store.prompts(STUDY) if prompt.retired_at is not None]
    assert {prompt.id for prompt in gone} == set(record.retired)
    assert gone
    assert all("Retired by the evolution" in prompt.note for prompt in gone)
    back = found.store.prompts(STUDY)[0]
    assert back in gone
    found.store.replace(replace(back, retired_at=None))
    more = replace(record, id="more", plan=replace(record.plan, rounds=3), state=State.CANCELLED)
    found.store.documents.put(document_of(replace(more, phase=Phase.GENERATE, round=3), 0))
    found.ended(found.evolution.resume("more"))
    assert next(p for p in found.store.prompts(STUDY) if p.id == back.id).retired_at is None


def test_new_prompts_without_outputs_stop_the_run_with_the_way_out() -> None:
    found = make_evolved()
    seen = found.run(found.plan(outputs=""))
    assert seen.record.state is State.STOPPED
    assert "Generate them, then resume" in seen.record.error
    found.store.replace(replace(found.study, settings=replace(found.study.settings, connection="writer")))
    again = found.ended(found.evolution.resume(seen.record.id))
    assert any("as people vote" in news.text for news in again.record.news)


def test_plans_that_cannot_be_are_refused() -> None:
    found = make_evolved()
    for changed, told in (
        ({"judges": ()}, "at least one judge"),
        ({"votes": Votes.PEOPLE}, "people alone"),
        ({"rounds": 0}, "rounds"),
        ({"writer": ""}, "needs a connection"),
        ({"weak_share": 0.0}, "both bad"),
        ({"budget": Budget(money=1.0)}, "prices"),
    ):
        with pytest.raises(BadInput, match=told):
            found.evolution.start(found.plan(**changed))
    with pytest.raises(NotFound):
        found.evolution.resume("nothing")
    assert found.evolution.runs(STUDY) == []


def test_a_record_is_read_as_it_was_written() -> None:
    plan = Plan(
        STUDY, "control", "", (Seat("a", JudgeSettings("majority", 5)),), "o", Votes.BOTH,
        budget=Budget(5, 6, 7.5), dial=Dial("words", 50, 5, "PID"), automatic=True,
    )  # fmt: skip
    assert plan_of(plan_body(plan)) == plan
    record = Record(
        "r", plan, utc_now(), PromptId("p"), State.SPENT, Phase.REVIEW, 3, 40, 2, {}, (PromptId("p"),),
        (PromptId("q"),), (Point(1, 0, PromptId("p"), 0.5, 0.4, 0.6),), (), Spend(1, 2, 3, 0.5), "why",
    ).told(utc_now(), "something")  # fmt: skip
    assert record_of(document_of(record, 4)) == record
    for votes in range(1_000):
        record = record.with_point(Point(votes, 1, PromptId("p"), 0.5, 0.4, 0.6))
    assert 200 <= len(record.points) <= 400
    assert record.points[-1].votes == 999
