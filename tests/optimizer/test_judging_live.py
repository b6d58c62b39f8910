"""A run whose outputs are made while it judges: it waits for the pair that the selector wants."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from itertools import combinations

from optimizer.domain import Batch, Duel, InputId, PromptId, Rater, RaterId, RaterKind, Settings, utc_now
from optimizer.generation.cells import Order
from optimizer.judges.scripted import perfect
from optimizer.judging.docket import Docket
from optimizer.judging.plan import Plan, Seat
from optimizer.judging.progress import State
from optimizer.judging.run import Run
from optimizer.llm.base import Request
from optimizer.llm.budget import Budget
from optimizer.llm.errors import KeyRefused, TooLong
from optimizer.llm.scripted import Scripted
from optimizer.pairing import Pairing, Wanted
from tests.optimizer.judging_world import STUDY, World, ended, make_world, quality

EVEN = Settings(selector="round_robin", audit_share=0.0, replay_share=0.0)
PROMPTS, INPUTS = 3, 4
CELLS = 3 * INPUTS  # of pairs of prompts and inputs
BEST = perfect(quality)
WAIT_S = 20.0


class Writer:
    """Writes "quality n" for prompt n, unless ``before`` objects; counts what it is asked."""

    def __init__(self, before: Callable[[int, str], None] = lambda prompt, input: None) -> None:
        self.asked: Counter[tuple[int, str]] = Counter()
        self._before = before

    def __call__(self, request: Request) -> str:
        found = re.match(r"Hidden text (\d) (\d)", request.messages[-1].content)
        prompt, input = int(found[1]), f"x{found[2]}"
        self.asked[prompt, input] += 1
        self._before(prompt, input)
        return f"quality {prompt} in words of its own"


def live(writer: Callable[[Request], str], inputs: int = INPUTS) -> World:
    world = make_world(PROMPTS, inputs, EVEN, written=False)
    world.connect("judge", BEST)
    world.connect("writer", Scripted(writer, "writer"))
    return world


def plan(world: World, duels: int = CELLS) -> Plan:
    return world.plan("judge", duels=duels, outputs="writer")


def met(world: World) -> Counter[tuple[frozenset[PromptId], InputId]]:
    """How often each pair was judged on each input."""
    duels = [ballot.duel for ballot in world.store.ballots(STUDY)]
    return Counter((frozenset((d.first_prompt, d.second_prompt)), d.input) for d in duels)


def check_fresh_first(world: World) -> None:
    """Every pair was judged, and on no input once more while there was one that it had not met. How often
    each pair comes is the selector's matter."""
    for pair in combinations([prompt.id for prompt in world.store.prompts(STUDY)], 2):
        times = [met(world)[frozenset(pair), row.id] for row in world.store.inputs(STUDY)]
        assert 0 < max(times) <= min(times) + 1, met(world)


def until_waiting(run: Run) -> None:
    while not run.progress().waiting:
        assert not run.wait(0.01), run.progress()


def test_each_pair_meets_each_input_before_any_meets_one_again() -> None:
    world = live(Writer())
    progress = world.run(plan(world))
    assert (progress.state, progress.votes, progress.last_error) == (State.DONE, CELLS, "")
    check_fresh_first(world)
    assert world.store.pending(STUDY, utc_now()) == []


def test_a_judge_that_starts_while_outputs_are_generated_waits_for_the_slow_prompt() -> None:
    """Without waiting it would vote on the other two prompts again and again."""
    go_on = threading.Event()

    def slow(prompt: int, input: str) -> None:
        assert prompt != 2 or go_on.wait(WAIT_S)

    writer = Writer(slow)
    world = live(writer)
    job = world.generation.start(Order(STUDY, "writer"))
    run = world.judging.start(plan(world))
    until_waiting(run)
    go_on.set()
    assert ended(run).state is State.DONE
    assert job.wait(WAIT_S)
    check_fresh_first(world)
    assert set(writer.asked.values()) == {1}  # nothing is paid for twice


def test_a_run_that_waits_is_cancelled_at_once() -> None:
    go_on = threading.Event()
    world = live(Writer(lambda prompt, input: go_on.wait(WAIT_S) and None))
    run = world.judging.start(plan(world))
    until_waiting(run)
    run.cancel()
    assert run.wait(WAIT_S / 2)  # while the writer still writes
    assert (run.progress().state, run.progress().votes) == (State.CANCELLED, 0)
    go_on.set()


def test_what_cannot_be_made_is_given_up_and_the_rest_is_judged() -> None:
    def refuse(prompt: int, input: str) -> None:
        if (prompt, input) == (2, "x1"):
            raise TooLong("Too long.")

    writer = Writer(refuse)
    world = live(writer)
    progress = world.run(plan(world, duels=20))
    assert (progress.state, progress.votes) == (State.DONE, 20)
    assert writer.asked[2, "x1"] > 0
    assert len(met(world)) == CELLS - 2  # both pairs of that prompt do without that input


def test_what_was_held_back_is_not_waited_for() -> None:
    writer = Writer()
    world = live(lambda request: "" if "text 2 1" in request.messages[-1].content else writer(request))
    progress = world.run(plan(world, duels=20))
    assert (progress.state, progress.votes) == (State.DONE, 20)
    assert [key.input for key in world.store.output_index(STUDY) if not key.usable] == ["x1"]
    assert len(met(world)) == CELLS - 2


def test_where_nothing_can_be_made_the_run_ends_and_says_why() -> None:
    def refuse(prompt: int, input: str) -> None:
        raise TooLong("Far too long.")

    world = live(Writer(refuse), inputs=1)
    progress = world.run(plan(world))
    assert (progress.state, progress.votes) == (State.DONE, 0)
    assert progress.last_error == "No more outputs could be made: Far too long."
    world = live(Writer(refuse), inputs=8)  # so many failures in a row that the server is taken to be down
    progress = world.run(plan(world))
    assert (progress.state, progress.votes, progress.last_error) == (State.STOPPED, 0, "Far too long.")


def test_a_server_that_refuses_the_key_stops_the_run() -> None:
    def refuse(prompt: int, input: str) -> None:
        raise KeyRefused("The key was refused.")

    world = live(Writer(refuse))
    progress = world.run(plan(world))
    assert (progress.state, progress.votes) == (State.STOPPED, 0)
    assert progress.last_error == "The key was refused."


def test_the_budget_of_outputs_holds() -> None:
    writer = Writer()
    world = live(writer)
    progress = ended(world.judging.start(plan(world), generation_budget=Budget(calls=5)))
    assert progress.state is State.SPENT
    assert sum(writer.asked.values()) == 5


class Making:
    """Takes note of what is wanted, and makes nothing."""

    def __init__(self) -> None:
        self.waiting: list[Wanted] = []
        self.given_up: dict[tuple[PromptId, InputId], str] = {}

    def want(self, wanted: Wanted) -> None:
        self.waiting.append(wanted)

    def making(self, wanted: Wanted) -> bool:
        return True

    def drop(self, wanted: Wanted) -> None:
        self.waiting.remove(wanted)


def test_duels_that_wait_are_known_to_those_chosen_after_them() -> None:
    world = live(Writer())
    rater = Rater(RaterId("judge-one"), STUDY, "One", RaterKind.JUDGE)
    world.store.add(Batch(raters=[rater]))
    making = Making()
    wants = Plan(STUDY, (Seat("judge"),), outputs="writer")
    docket = Docket(world.store, Pairing(world.store), wants, rater, True, making, utc_now)
    wanted = [docket.next() for _ in range(CELLS)]
    assert all(isinstance(one, Wanted) for one in wanted)
    assert len({(frozenset((one.first, one.second)), one.input) for one in wanted}) == CELLS
    assert docket.next(wanted[0]) is wanted[0]  # as long as it is being made
    prompt = next(p for p in world.store.prompts(STUDY) if p.id == wanted[0].first)
    world.retire(prompt)
    other = docket.next(wanted[0])  # not any more: another one
    assert wanted[0] not in making.waiting
    assert not isinstance(other, Duel)
    assert prompt.id not in (other.first, other.second)
