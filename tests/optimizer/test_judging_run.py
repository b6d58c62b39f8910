"""Automatic runs, from the selector to the standings: the right prompt wins, limits hold, work resumes."""

import json
import threading
import time
from typing import ClassVar

import pytest

from optimizer.domain import (
    Batch,
    Duel,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    RaterKind,
    Study,
    StudyId,
    utc_now,
)
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.judges import JudgeSettings
from optimizer.judges.base import Mark
from optimizer.judges.scripted import always, answer_by, perfect
from optimizer.judging.docket import Docket
from optimizer.judging.plan import Match, Plan, Seat, judge_rater
from optimizer.judging.progress import State
from optimizer.judging.rulings import ruling_of
from optimizer.llm.base import Request
from optimizer.llm.budget import Budget
from optimizer.llm.errors import KeyRefused, ServerBusy, TooLong
from optimizer.llm.scripted import Scripted
from optimizer.pairing import Pairing, Wanted
from optimizer.results import VoteFilter
from optimizer.stats.stopping import AdviceKind
from tests.optimizer.judging_world import ANN, QUIET, STUDY, World, ended, make_world, quality

BEST = perfect(quality)
WORST = perfect(lambda text: -quality(text))


@pytest.fixture
def world() -> World:
    return make_world()


def votes_of(world: World) -> list:
    return [b for b in world.store.ballots(STUDY) if b.vote.rater.startswith("judge-")]


@pytest.mark.parametrize("mode", ["both_orders", "one_order", "majority", "majority_one_order"])
@pytest.mark.parametrize(("rule", "winner"), [(BEST, "p3"), (WORST, "p0")])
def test_what_the_judge_prefers_wins_the_standings(world: World, mode: str, rule, winner: str) -> None:
    progress = world.run(world.plan(world.connect("j", rule), mode=mode, repeats=2, duels=40))
    assert (progress.state, progress.votes, progress.share) == (State.DONE, 40, 1.0)
    rows = world.results.standings(world.study, VoteFilter(kind=RaterKind.JUDGE)).rows
    order = [row.prompt.id for row in rows]
    assert order == ([f"p{i}" for i in (3, 2, 1, 0)] if winner == "p3" else [f"p{i}" for i in range(4)])


@pytest.mark.parametrize("mode", ["both_orders", "one_order"])
@pytest.mark.parametrize(("first", "second"), [("p3", "p0"), ("p0", "p3")])
def test_no_swap_turns_a_verdict_round(world: World, mode: str, first: str, second: str) -> None:
    """Each output on each side, as it is drawn; the vote speaks of the duel's own first and second."""
    matches = tuple(Match(PromptId(first), PromptId(second), row.id) for row in world.store.inputs(STUDY))
    world.run(world.plan(world.connect("j", BEST), mode=mode, matches=matches, follow=False))
    ballots = votes_of(world)
    assert {ballot.duel.first_prompt for ballot in ballots} == {"p0", "p3"}  # both sides were drawn
    assert [ballot.winner for ballot in ballots] == ["p3"] * 6
    for ballot in ballots:
        said = Outcome.FIRST if ballot.duel.first_prompt == "p3" else Outcome.SECOND
        assert ballot.vote.outcome is said


def test_a_vote_carries_how_it_came_about(world: World) -> None:
    world.judging.rubrics.current(STUDY)
    world.judging.rubrics.edit(STUDY, "- Good\n- Brief")
    world.run(world.plan(world.connect("j", BEST, temperature=0.25), duels=3))
    vote = votes_of(world)[0].vote
    ruling = ruling_of(vote)
    assert ruling is not None
    assert (ruling.rubric, ruling.connection, ruling.mode, ruling.margin) == (2, "j", "both_orders", 1.0)
    assert ruling.model == "scripted (j)"
    assert vote.verdict["temperature"] == 0.25
    assert [row["criterion"] for row in vote.verdict["criteria"]] == ["Good", "Brief"]
    assert {row["better"] for row in vote.verdict["criteria"]} == {vote.outcome}
    assert ruling.criteria == (("Good", vote.outcome), ("Brief", vote.outcome))
    assert vote.comment == "By the script."
    assert vote.verdict["calls"] == 2
    assert vote.verdict["tokens"] > 0


def test_a_judge_sees_no_prompt_and_no_name(world: World) -> None:
    seen: list[str] = []

    def reply(request: Request) -> str:
        seen.append(json.dumps([message.content for message in request.messages]))
        return answer_by(BEST, request)

    world.run(world.plan(world.connect("j", Scripted(reply)), duels=10))
    assert len(seen) == 20
    assert not any("Secret" in text or "Hidden" in text or '"p1"' in text for text in seen)


def test_a_position_is_a_marked_tie(world: World) -> None:
    progress = world.run(world.plan(world.connect("j", always(Outcome.FIRST)), duels=20))
    assert progress.judges[0].moved == 20
    for ballot in votes_of(world):
        ruling = ruling_of(ballot.vote)
        assert ballot.vote.outcome is Outcome.BOTH_GOOD
        assert ruling is not None
        assert (ruling.mark, ruling.certainty) == (Mark.POSITION_DEPENDENT, 0.0)


def test_the_same_plan_again_goes_on_where_it_stopped(world: World) -> None:
    name = world.connect("j", BEST)
    assert world.judging.estimate(world.plan(name, duels=25)).calls == 50
    assert world.run(world.plan(name, duels=10)).votes == 10
    assert world.judging.estimate(world.plan(name, duels=25)).votes == 15
    progress = world.run(world.plan(name, duels=25))
    assert (progress.votes, progress.judges[0].before, progress.share) == (15, 10, 1.0)
    assert len(votes_of(world)) == 25
    assert world.run(world.plan(name, duels=25)).votes == 0


def test_what_a_run_had_in_mind_outlives_it(world: World) -> None:
    name = world.connect("j", BEST)
    assert world.judging.latest(STUDY) is None
    world.run(world.plan(name, duels=4))
    plan = world.plan(
        name, duels=9, mode="majority", repeats=2, calibrate=3, budget=Budget(calls=80, money=None)
    )
    world.run(plan)
    assert world.judging.latest(STUDY) == plan
    match = Match(PromptId("p0"), PromptId("p1"), world.store.inputs(STUDY)[0].id)
    world.run(world.plan(name, matches=(match,), follow=False))
    assert world.judging.latest(STUDY) == plan  # a challenge is no run to go on with


def test_duels_in_flight_are_pending_and_within_the_limit(world: World) -> None:
    most, at_once, gate = 0, 0, threading.Lock()

    def reply(request: Request) -> str:
        nonlocal most, at_once
        with gate:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with gate:
            at_once -= 1
        return answer_by(BEST, request)

    run = world.judging.start(world.plan(world.connect("j", Scripted(reply)), duels=40))
    time.sleep(0.1)
    pending, in_flight = len(world.store.pending(STUDY, utc_now())), run.progress().judges[0].in_flight
    assert 1 <= pending <= 6
    assert 1 <= in_flight <= 6
    assert ended(run).votes == 40
    assert most == 4
    assert world.store.pending(STUDY, utc_now()) == []


def test_a_cancelled_run_lets_go_of_its_duels_and_goes_on_later(world: World) -> None:
    def reply(request: Request) -> str:
        time.sleep(0.01)
        return answer_by(BEST, request)

    plan = world.plan(world.connect("j", Scripted(reply)), duels=60)
    run = world.judging.start(plan)
    while run.progress().votes < 8:
        time.sleep(0.005)
    run.cancel()
    progress = ended(run)
    assert progress.state is State.CANCELLED
    assert 8 <= progress.votes < 60
    assert world.store.pending(STUDY, utc_now()) == []
    again = ended(world.judging.resume(run))
    assert again.state is State.DONE
    assert again.votes == 60 - progress.votes
    assert again.spent.calls >= 120  # on the same account
    assert world.store.check() == []


def test_what_a_dead_process_left_open_is_taken_up(world: World) -> None:
    name = world.connect("j", BEST)
    plan = world.plan(name, duels=5)
    connection = world.store.connections()[0]
    rater = judge_rater(STUDY, connection, plan.panel[0].settings)
    world.store.add(Batch(raters=[rater]))
    left = world.vote("p0", "p3", "x0", Outcome.SKIP)  # a duel to copy
    from dataclasses import replace
    from datetime import timedelta

    left = replace(left, id="left", rater=rater.id, closed_at=None, expires_at=utc_now() + timedelta(hours=1))
    world.store.add(Batch(duels=[left]))
    assert world.run(plan).votes == 5
    assert [b.winner for b in world.store.ballots(STUDY, duel=left.id)] == ["p3"]


def test_no_judge_works_twice_at_once(world: World) -> None:
    def reply(request: Request) -> str:
        time.sleep(0.02)
        return answer_by(BEST, request)

    plan = world.plan(world.connect("j", Scripted(reply)), duels=200)
    run = world.judging.start(plan)
    with pytest.raises(Conflict, match="at work"):
        world.judging.start(plan)
    with pytest.raises(BadInput, match="twice"):
        world.judging.start(world.plan("j", "j"))
    world.judging.close()
    assert run.progress().state is State.CANCELLED
    assert world.judging.run(run.id) is run
    with pytest.raises(NotFound):
        world.judging.run("other")


def test_a_panel_votes_as_raters_of_their_own(world: World) -> None:
    progress = world.run(world.plan(world.connect("j", BEST), world.connect("k", WORST), duels=12))
    assert [judge.votes for judge in progress.judges] == [12, 12]
    raters = [r for r in world.store.raters(STUDY) if r.kind is RaterKind.JUDGE]
    assert sorted(rater.name for rater in raters) == ["j (both orders)", "k (both orders)"]
    for rater, winner in zip(sorted(raters, key=lambda r: r.name), ["p3", "p0"], strict=True):
        chosen = VoteFilter(raters=frozenset({rater.id}))
        assert world.results.standings(world.study, chosen).rows[0].prompt.id == winner


def test_a_budget_is_never_overshot(world: World) -> None:
    progress = world.run(world.plan(world.connect("j", BEST), duels=100, budget=Budget(calls=21)))
    assert progress.state is State.SPENT
    assert progress.spent.calls <= 21
    assert progress.votes == 10
    assert "21 calls" in progress.last_error
    assert world.store.pending(STUDY, utc_now()) == []


def test_it_stops_by_advice(world: World) -> None:
    def reply(request: Request) -> str:
        time.sleep(0.005)
        return answer_by(BEST, request)

    world.set(selector="auto")
    plan = world.plan(world.connect("j", Scripted(reply)), duels=5000, until_advised=True)
    progress = world.run(plan)
    assert progress.state is State.ADVISED
    assert progress.advice is not None
    assert progress.advice.kind is AdviceKind.STOP
    assert progress.votes < 1000  # a machine may be slow to look


def test_answers_that_cannot_be_read_are_counted_and_are_no_votes(world: World) -> None:
    asked = 0
    gate = threading.Lock()

    def reply(request: Request) -> str:
        nonlocal asked
        with gate:
            asked += 1
        shown = json.loads(request.messages[-1].content.split("\n")[1])
        return "Hm." if "x1" in shown["first"] else answer_by(BEST, request)

    progress = world.run(world.plan(world.connect("j", Scripted(reply)), duels=40))
    judge = progress.judges[0]
    assert (progress.state, judge.votes) == (State.DONE, 40)
    assert judge.unread > 0
    assert asked == 2 * judge.votes + 2 * judge.unread
    assert not any(ballot.duel.input == "x1" for ballot in votes_of(world))
    assert world.store.pending(STUDY, utc_now()) == []


@pytest.mark.parametrize(
    ("error", "state"),
    [(KeyRefused("The key is refused."), State.STOPPED), (TooLong("Too long."), State.STOPPED)],
)
def test_a_fault_of_every_duel_stops_the_run(world: World, error: Exception, state: State) -> None:
    def reply(request: Request) -> str:
        raise error

    progress = world.run(world.plan(world.connect("j", Scripted(reply)), duels=100))
    assert (progress.state, progress.votes, progress.last_error) == (state, 0, str(error))
    assert len(votes_of(world)) == 0
    assert world.store.pending(STUDY, utc_now()) == []


def test_a_judge_that_never_answers_does_not_go_on_for_ever(world: World) -> None:
    progress = world.run(world.plan(world.connect("j", Scripted(lambda _: "Hm.")), duels=100))
    assert progress.state is State.STOPPED
    assert 10 <= progress.judges[0].unread <= 16


def test_a_fault_of_one_duel_is_only_counted(world: World) -> None:
    def reply(request: Request) -> str:
        if "x2" in request.messages[-1].content:
            raise TooLong("Too long.")
        return answer_by(BEST, request)

    progress = world.run(world.plan(world.connect("j", Scripted(reply)), duels=40))
    assert (progress.state, progress.votes) == (State.DONE, 40)
    assert progress.judges[0].failed > 0


def test_a_passing_fault_is_tried_again(world: World) -> None:
    failures = iter([True])

    def reply(request: Request) -> str:
        if next(failures, False):
            busy = ServerBusy("Busy.")
            busy.retry_after = 0.01
            raise busy
        return answer_by(BEST, request)

    progress = world.run(world.plan(world.connect("j", Scripted(reply)), duels=10))
    assert (progress.votes, progress.judges[0].failed) == (10, 0)


def test_a_study_without_pairs_says_what_it_lacks() -> None:
    world = make_world(prompts=1)
    progress = world.run(world.plan(world.connect("j", BEST)))
    assert (progress.state, progress.votes) == (State.DONE, 0)
    assert "two prompts" in progress.last_error


def test_outputs_that_come_while_they_are_asked_for_are_seen(world: World) -> None:
    bare = StudyId("bare")
    prompts = [Prompt(PromptId(f"b{n}"), bare, f"B{n}", "{{x}}") for n in range(2)]
    row = Input(InputId("row"), bare, {"x": "1"})
    world.store.add(Batch([Study(bare, "Bare", settings=QUIET)], prompts, [row]))

    class Quick:
        """Has outputs made before anybody could ask whether they are on their way."""

        waiting: ClassVar[list[Wanted]] = []
        given_up: ClassVar[dict[tuple[PromptId, InputId], str]] = {}

        def want(self, wanted: Wanted) -> None:
            assert not pairing.content(bare).playable.any()
            made = [Output(OutputId(f"o-{p.id}"), bare, p.id, row.id, f"quality {p.id}") for p in prompts]
            world.store.add(Batch(outputs=made))
            self.waiting.append(wanted)

        def making(self, wanted: Wanted) -> bool:
            raise AssertionError("They are there.")

        def drop(self, wanted: Wanted) -> None:
            self.waiting.remove(wanted)

    plan = Plan(bare, (Seat(world.connect("j", BEST)),))
    judge = judge_rater(bare, world.store.connections()[0], JudgeSettings())
    world.store.add(Batch(raters=[judge]))
    pairing = Pairing(world.store)
    docket = Docket(world.store, pairing, plan, judge, True, Quick(), utc_now)
    wanted = docket.next()
    assert isinstance(wanted, Wanted)
    duel = docket.next(wanted)
    assert isinstance(duel, Duel)
    assert (duel.input, Quick.waiting) == (row.id, [])


def test_people_vote_at_the_same_time(world: World) -> None:
    def reply(request: Request) -> str:
        time.sleep(0.005)
        return answer_by(BEST, request)

    run = world.judging.start(world.plan(world.connect("j", Scripted(reply)), duels=40))
    for n in range(20):
        world.vote("p0", "p3", f"x{n % 6}", Outcome.SECOND)
    assert ended(run).votes == 40
    standings = world.results.standings(world.study)
    assert (standings.human_votes, standings.judge_votes) == (20, 0)
    assert world.store.counters(STUDY).votes == 60
    assert world.store.check() == []


def test_people_are_compared_with_first(world: World) -> None:
    for n in range(6):
        world.vote("p1", "p2", f"x{n}", Outcome.SECOND)
    world.vote("p1", "p2", "x0", Outcome.FIRST, rater="bob")  # the same two outputs once more
    world.run(world.plan(world.connect("j", BEST), duels=8, calibrate=50))
    ballots = list(reversed(votes_of(world)))
    compared = [b for b in ballots if b.duel.repeats is not None]
    assert len(compared) == 6
    assert sum(b.duel.selector == "random" for b in ballots) == 2
    assert {b.winner for b in compared} == {"p2"}
    assert not any(b.duel.replay for b in compared)
    world.run(world.plan("j", duels=10, calibrate=50))
    assert sum(b.duel.repeats is not None for b in votes_of(world)) == 6  # not twice


def test_people_are_not_asked_by_what_judges_think(world: World) -> None:
    """Beside: a judge's votes choose the judge's duels only."""
    from optimizer.pairing import Pairing

    world.run(world.plan(world.connect("j", BEST), duels=30))
    pairing = Pairing(world.store)
    content = pairing.content(STUDY)
    judge = next(r for r in world.store.raters(STUDY) if r.kind is RaterKind.JUDGE)

    def seen(rater) -> float:
        desk = world.store.asking.desk(STUDY, rater, utc_now())
        return pairing.record(world.study, content, desk).tally.total

    assert (seen(ANN), seen(judge.id)) == (0, 30)
    world.set(judge_votes="full")
    assert (seen(ANN), seen(judge.id)) == (30, 30)
