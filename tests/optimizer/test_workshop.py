"""The main path: a duel is asked once, shown blind, answered once, and counted on the right side."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from optimizer.domain import (
    Batch,
    Duel,
    Grade,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Settings,
    Study,
    StudyId,
    utc_now,
)
from optimizer.errors import AlreadyVoted, BadInput, Conflict, DuelClosed, NotAllowed, NothingToAsk
from optimizer.pairing import Pairing, Wanted
from optimizer.results import Results
from optimizer.selectors import SELECTORS, Need
from optimizer.storage import open_store
from optimizer.storage.base import Store
from optimizer.workshop import ShownDuel, Workshop

STUDY = StudyId("s")
ANN, BOB = RaterId("ann"), RaterId("bob")


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-01-01T12:00:00+00:00")

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)


def study_of(settings: Settings, prompts: int = 4, inputs: int = 6, seed: int = 0) -> Batch:
    """A study whose every output exists."""
    study = Study(STUDY, "Test", settings=settings, seed=seed)
    arms = [Prompt(PromptId(f"p{i}"), STUDY, f"Prompt {i}", "{{x}}") for i in range(prompts)]
    rows = [
        Input(InputId(f"x{x}"), STUDY, {"x": str(x)}, ("even" if x % 2 == 0 else "odd",))
        for x in range(inputs)
    ]
    outputs = [
        Output(OutputId(f"o{i}-{x}"), STUDY, arm.id, row.id, f"{arm.name} on {x}")
        for i, arm in enumerate(arms)
        for x, row in enumerate(rows)
    ]
    raters = [Rater(ANN, STUDY, "Ann"), Rater(BOB, STUDY, "Bob")]
    return Batch([study], arms, rows, outputs, raters)


QUIET = Settings(selector="random", audit_share=0.0, replay_share=0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Store:
    return open_store("memory://")


@pytest.fixture
def workshop(store: Store, clock: Clock) -> Workshop:
    store.add(study_of(QUIET))
    return Workshop(store, Pairing(store), clock)


def test_asking_again_finds_the_open_duel(workshop: Workshop, store: Store) -> None:
    first = workshop.next_duel(STUDY, ANN)
    assert workshop.next_duel(STUDY, ANN) == first
    assert store.counters(STUDY).duels == 1


def test_two_raters_get_duels_of_their_own(workshop: Workshop) -> None:
    assert workshop.next_duel(STUDY, ANN).duel.id != workshop.next_duel(STUDY, BOB).duel.id


def test_the_texts_are_those_of_the_two_prompts_on_the_input(workshop: Workshop) -> None:
    shown = workshop.next_duel(STUDY, ANN)
    number = shown.duel.input.removeprefix("x")
    assert shown.first.text == f"Prompt {shown.duel.first_prompt.removeprefix('p')} on {number}"
    assert shown.second.text == f"Prompt {shown.duel.second_prompt.removeprefix('p')} on {number}"
    assert shown.duel.first_prompt != shown.duel.second_prompt


def test_a_double_press_counts_once(workshop: Workshop, store: Store) -> None:
    duel = workshop.next_duel(STUDY, ANN).duel
    vote = workshop.record_vote(duel.id, ANN, Outcome.FIRST)
    assert workshop.record_vote(duel.id, ANN, Outcome.FIRST) == vote
    with pytest.raises(AlreadyVoted):
        workshop.record_vote(duel.id, ANN, Outcome.SECOND)
    assert store.counters(STUDY).votes == 1


def test_nobody_votes_on_the_duel_of_another(workshop: Workshop) -> None:
    duel = workshop.next_duel(STUDY, ANN).duel
    with pytest.raises(NotAllowed):
        workshop.record_vote(duel.id, BOB, Outcome.FIRST)


def test_only_a_preference_carries_a_grade(workshop: Workshop) -> None:
    duel = workshop.next_duel(STUDY, ANN).duel
    with pytest.raises(BadInput, match="both_good"):
        workshop.record_vote(duel.id, ANN, Outcome.BOTH_GOOD, Grade.CLEARLY)


def test_an_expired_duel_is_released(workshop: Workshop, clock: Clock, store: Store) -> None:
    duel = workshop.next_duel(STUDY, ANN).duel
    clock.pass_time(days=2)
    with pytest.raises(DuelClosed):
        workshop.record_vote(duel.id, ANN, Outcome.FIRST)
    assert workshop.next_duel(STUDY, ANN).duel.id != duel.id
    assert store.duel(duel.id).closed_at is not None


def test_undo_brings_the_same_pair_back(workshop: Workshop, store: Store) -> None:
    shown = workshop.next_duel(STUDY, ANN)
    workshop.record_vote(shown.duel.id, ANN, Outcome.FIRST)
    later = workshop.next_duel(STUDY, ANN)
    workshop.undo(STUDY, ANN)
    again = workshop.next_duel(STUDY, ANN)
    assert (again.duel.id, again.first.id, again.second.id) == (
        shown.duel.id,
        shown.first.id,
        shown.second.id,
    )
    assert store.pair_counts(STUDY) == [] or all(sum(row.answers) == 0 for row in store.pair_counts(STUDY))
    workshop.record_vote(again.duel.id, ANN, Outcome.SECOND)
    assert workshop.next_duel(STUDY, ANN).duel.id == later.duel.id


def test_there_is_nothing_to_undo_at_first(workshop: Workshop) -> None:
    with pytest.raises(Conflict):
        workshop.undo(STUDY, ANN)


def test_only_the_rater_says_why(workshop: Workshop, store: Store) -> None:
    duel = workshop.next_duel(STUDY, ANN).duel
    vote = workshop.record_vote(duel.id, ANN, Outcome.FIRST)
    workshop.note(vote.id, ANN, ["clear"], ["too long"], "  short and right ")
    with pytest.raises(NotAllowed):
        workshop.note(vote.id, BOB, [], [], "no")
    kept = store.vote(vote.id)
    assert (kept.first_reasons, kept.second_reasons, kept.comment) == (
        ("clear",),
        ("too long",),
        "short and right",
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda batch: replace(batch, prompts=batch.prompts[:1], outputs=()), "two prompts"),
        (lambda batch: replace(batch, inputs=(), outputs=()), "no inputs"),
        (lambda batch: replace(batch, outputs=batch.outputs[:1]), "output on the same input"),
    ],
)
def test_what_is_missing_is_said(store: Store, change: Callable[[Batch], Batch], says: str) -> None:
    store.add(change(study_of(QUIET)))
    with pytest.raises(NothingToAsk, match=says):
        Workshop(store, Pairing(store)).next_duel(STUDY, ANN)


def test_failed_and_empty_outputs_are_never_shown(store: Store) -> None:
    batch = study_of(QUIET, prompts=3, inputs=3)
    bad = {OutputId("o0-0"), OutputId("o0-1"), OutputId("o0-2")}
    outputs = [
        replace(o, text=" " if o.id == "o0-0" else o.text, error="" if o.id == "o0-0" else "500")
        if o.id in bad
        else o
        for o in batch.outputs
    ]
    store.add(replace(batch, outputs=outputs))
    workshop = Workshop(store, Pairing(store))
    for _ in range(20):
        duel = workshop.next_duel(STUDY, ANN).duel
        assert not {duel.first, duel.second} & bad
        workshop.record_vote(duel.id, ANN, Outcome.SKIP)


def test_the_same_seed_asks_the_same_duels() -> None:
    asked = []
    for _ in range(2):
        store = open_store("memory://")
        store.add(study_of(replace(QUIET, selector="auto"), seed=5))
        workshop = Workshop(store, Pairing(store))
        duels = []
        for _ in range(15):
            duel = workshop.next_duel(STUDY, ANN).duel
            duels.append((duel.input, duel.first, duel.second, duel.reason))
            workshop.record_vote(duel.id, ANN, Outcome.FIRST if duel.first < duel.second else Outcome.SECOND)
        asked.append(duels)
    assert asked[0] == asked[1]


def test_each_side_is_drawn_about_equally_often(workshop: Workshop) -> None:
    low_first = 0
    for _ in range(200):
        duel = workshop.next_duel(STUDY, ANN).duel
        low_first += duel.first_prompt < duel.second_prompt
        workshop.record_vote(duel.id, ANN, Outcome.SKIP)
    assert 65 <= low_first <= 135  # five standard deviations


def test_a_pair_is_not_asked_twice_running_and_inputs_are_spread(workshop: Workshop, store: Store) -> None:
    last: set[str] = set()
    met: dict[tuple[str, ...], list[str]] = {}
    for _ in range(60):
        duel = workshop.next_duel(STUDY, ANN).duel
        pair = {duel.first_prompt, duel.second_prompt}
        assert pair != last
        last = set(pair)
        met.setdefault(tuple(sorted(pair)), []).append(duel.input)
        workshop.record_vote(duel.id, ANN, Outcome.SKIP)
    for inputs in met.values():  # six inputs: the first six duels of a pair meet six different ones
        assert len(set(inputs[:6])) == len(inputs[:6])


def test_every_input_is_asked_about_as_often(workshop: Workshop, store: Store) -> None:
    for _ in range(60):
        workshop.record_vote(workshop.next_duel(STUDY, ANN).duel.id, ANN, Outcome.SKIP)
    asked = store.duels_by_input(STUDY)
    assert sum(asked.values()) == 60
    assert max(asked.values()) - min(asked.values()) <= 4


def test_the_audit_share_is_uniform_and_marked(store: Store) -> None:
    store.add(study_of(replace(QUIET, selector="auto", audit_share=0.5)))
    workshop = Workshop(store, Pairing(store))
    audits: list[Duel] = []
    for _ in range(200):
        duel = workshop.next_duel(STUDY, ANN).duel
        if duel.audit:
            audits.append(duel)
        workshop.record_vote(duel.id, ANN, Outcome.FIRST if duel.first_prompt == "p0" else Outcome.SECOND)
    assert 70 <= len(audits) <= 130
    pairs = {frozenset((d.first_prompt, d.second_prompt)) for d in audits}
    assert len(pairs) == 6


def test_replays_swap_the_sides_and_never_count(store: Store) -> None:
    store.add(study_of(replace(QUIET, replay_share=0.5)))
    workshop = Workshop(store, Pairing(store))
    replays = 0
    for _ in range(60):
        duel = workshop.next_duel(STUDY, ANN).duel
        if duel.replay:
            replays += 1
            assert duel.repeats is not None
            earlier = store.duel(duel.repeats)
            assert (duel.first, duel.second, duel.input) == (earlier.second, earlier.first, earlier.input)
        workshop.record_vote(duel.id, ANN, Outcome.FIRST)
    assert replays > 5
    assert sum(sum(row.answers) for row in store.pair_counts(STUDY)) == 60 - replays


def test_a_retired_prompt_is_not_replayed(store: Store) -> None:
    store.add(study_of(replace(QUIET, replay_share=0.5)))
    workshop = Workshop(store, Pairing(store))
    for _ in range(20):
        workshop.record_vote(workshop.next_duel(STUDY, ANN).duel.id, ANN, Outcome.FIRST)
    store.replace(replace(store.prompts(STUDY)[0], retired_at=utc_now()))
    store.replace(replace(store.inputs(STUDY)[0], retired_at=utc_now()))
    replays = 0
    for _ in range(40):
        duel = workshop.next_duel(STUDY, ANN).duel
        replays += duel.replay
        assert PromptId("p0") not in (duel.first_prompt, duel.second_prompt)
        assert duel.input != "x0"
        workshop.record_vote(duel.id, ANN, Outcome.FIRST)
    assert replays


@pytest.mark.parametrize("grade", [None, Grade.SLIGHTLY, Grade.CLEARLY])
@pytest.mark.parametrize("best", range(3))
def test_the_prompt_that_is_preferred_wins_on_either_side(best: int, grade: Grade | None) -> None:
    """The sign, from the vote to the standings: whichever prompt it is, whatever the grade."""
    store = open_store("memory://")
    store.add(study_of(QUIET, prompts=3, seed=best))
    workshop, wanted = Workshop(store, Pairing(store)), f"p{best}"
    sides = set()
    for _ in range(40):
        duel = workshop.next_duel(STUDY, ANN).duel
        if duel.first_prompt == wanted:
            workshop.record_vote(duel.id, ANN, Outcome.FIRST, grade)
            sides.add("first")
        elif duel.second_prompt == wanted:
            workshop.record_vote(duel.id, ANN, Outcome.SECOND, grade)
            sides.add("second")
        else:
            workshop.record_vote(duel.id, ANN, Outcome.BOTH_BAD)
    assert sides == {"first", "second"}
    rows = Results(store).standings(store.study(STUDY)).rows
    assert rows[0].prompt.id == wanted
    assert rows[0].losses == 0
    assert rows[0].p_best > 0.9


def test_ties_and_skips_favour_nobody(workshop: Workshop, store: Store) -> None:
    for outcome in [Outcome.BOTH_GOOD, Outcome.BOTH_BAD, Outcome.SKIP] * 8:
        duel = workshop.next_duel(STUDY, ANN).duel
        workshop.record_vote(duel.id, ANN, outcome)
    standings = Results(store).standings(store.study(STUDY))
    assert np.allclose([row.strength for row in standings.rows], 0.0, atol=1e-9)
    assert (standings.votes, standings.skips) == (16, 8)
    assert sum(row.both_good for row in standings.rows) == 2 * 8
    assert sum(row.both_bad for row in standings.rows) == 2 * 8


def test_joining_twice_is_joining_once(workshop: Workshop, store: Store) -> None:
    rater = Rater(RaterId("new"), STUDY, "You", created_at=utc_now())
    assert workshop.join(STUDY, rater) == workshop.join(STUDY, replace(rater, name="Other"))
    assert [r.id for r in store.raters(STUDY)].count(rater.id) == 1


# -- the duel that comes next, chosen before the vote ----------------------------------------------


@pytest.mark.parametrize("outcome", Outcome)
def test_what_was_announced_is_asked_next(store: Store, clock: Clock, outcome: Outcome) -> None:
    """Same outputs on the same sides, whatever the vote before; stored and leased from when it is asked."""
    store.add(study_of(replace(QUIET, audit_share=0.2, replay_share=0.3, selector="auto")))
    workshop = Workshop(store, Pairing(store), clock)
    shown, replays = workshop.next_duel(STUDY, ANN), 0
    for turn in range(40):
        following = workshop.announce(shown)
        assert following is not None
        assert following.duel.id != shown.duel.id
        assert store.counters(STUDY).duels == turn + 1
        clock.pass_time(minutes=5)
        workshop.record_vote(shown.duel.id, ANN, outcome)
        shown = workshop.next_duel(STUDY, ANN, following.duel)
        later = replace(following.duel, asked_at=clock.now, expires_at=clock.now + timedelta(days=1))
        assert shown == replace(following, duel=later)
        assert store.duel(shown.duel.id) == later
        replays += shown.duel.replay
    assert replays


def test_the_open_duel_comes_before_one_that_was_announced(workshop: Workshop, store: Store) -> None:
    shown = workshop.next_duel(STUDY, ANN)
    following = workshop.announce(shown)
    assert following is not None
    assert workshop.next_duel(STUDY, ANN, following.duel) == shown
    assert store.counters(STUDY).duels == 1


def test_what_can_no_longer_be_asked_gives_way_to_another_duel(store: Store) -> None:
    """Announced, and then a prompt or the input retired, or an output held back."""
    for change in ("prompt", "input", "other rater", "asked already"):
        store = open_store("memory://")
        store.add(study_of(QUIET))
        workshop = Workshop(store, Pairing(store))
        shown = workshop.next_duel(STUDY, ANN)
        following = workshop.announce(shown)
        assert following is not None
        workshop.record_vote(shown.duel.id, ANN, Outcome.FIRST)
        announced, gone = following.duel, ""
        if change == "prompt":
            gone = announced.first_prompt
            (prompt,) = (one for one in store.prompts(STUDY) if one.id == gone)
            store.replace(replace(prompt, retired_at=utc_now()))
        elif change == "input":
            gone = announced.input
            store.replace(replace(store.input(announced.input), retired_at=utc_now()))
        elif change == "other rater":
            announced = replace(announced, rater=BOB)
        else:
            asked = workshop.next_duel(STUDY, ANN, announced).duel
            workshop.record_vote(asked.id, ANN, Outcome.FIRST)
        duel = workshop.next_duel(STUDY, ANN, announced).duel
        assert duel.rater == ANN
        assert duel.id != announced.id
        assert gone not in (duel.first_prompt, duel.second_prompt, duel.input) or not gone


def test_after_an_undo_nothing_is_announced_until_all_open_duels_are_answered(workshop: Workshop) -> None:
    """The pair that was skipped over lies open and comes first."""
    first = workshop.next_duel(STUDY, ANN).duel
    workshop.record_vote(first.id, ANN, Outcome.FIRST)
    second = workshop.next_duel(STUDY, ANN).duel
    workshop.undo(STUDY, ANN)
    assert workshop.announce(workshop.next_duel(STUDY, ANN)) is None
    workshop.record_vote(first.id, ANN, Outcome.SECOND)
    later = workshop.next_duel(STUDY, ANN)
    assert later.duel == second
    assert workshop.announce(later) is not None


def test_what_is_known_after_an_ask_is_what_the_store_says(store: Store, clock: Clock) -> None:
    """So what comes next can be chosen without asking the store again."""
    store.add(study_of(QUIET))
    workshop = Workshop(store, Pairing(store), clock)
    workshop.next_duel(STUDY, BOB)
    for _ in range(5):
        shown = workshop.next_duel(STUDY, ANN)
        read = store.asking.desk(STUDY, ANN, clock.now)
        assert shown.desk is not None
        known = replace(shown.desk, recent=read.recent, turns=read.turns)
        pairs = [pair for *pair, times in known.pending for _ in range(times)]
        assert sorted(pairs) == sorted(pair for *pair, times in read.pending for _ in range(times))
        assert replace(known, pending=read.pending) == read
        one, other = workshop.announce(shown), workshop.announce(replace(shown, desk=None))
        assert one is not None
        assert other is not None
        assert one == replace(other, duel=replace(other.duel, id=one.duel.id))
        workshop.record_vote(shown.duel.id, ANN, Outcome.FIRST)


def test_a_live_study_announces_only_what_is_written(store: Store) -> None:
    workshop = without_outputs(store, prompts=2, inputs=2)
    for prompt in ("p0", "p1"):
        written(store, PromptId(prompt), InputId("x0"))
    shown = workshop.next_live_duel(STUDY, ANN)
    assert isinstance(shown, ShownDuel)
    assert workshop.announce(shown, live=True) is None  # it would be on the other input
    for prompt in ("p0", "p1"):
        written(store, PromptId(prompt), InputId("x1"))
    again = workshop.next_live_duel(STUDY, ANN)
    assert isinstance(again, ShownDuel)
    following = workshop.announce(again, live=True)
    assert following is not None
    workshop.record_vote(shown.duel.id, ANN, Outcome.FIRST)
    asked = workshop.next_live_duel(STUDY, ANN, None, following.duel)
    assert isinstance(asked, ShownDuel)
    assert (asked.duel.id, asked.first, asked.second) == (
        following.duel.id,
        following.first,
        following.second,
    )


# -- outputs that can be generated -----------------------------------------------------------------


def without_outputs(store: Store, prompts: int = 4, inputs: int = 6) -> Workshop:
    store.add(replace(study_of(QUIET, prompts, inputs), outputs=[]))
    return Workshop(store, Pairing(store))


def written(store: Store, prompt: PromptId, row: InputId, text: str = "Some text", error: str = "") -> None:
    number = len(store.outputs(STUDY, prompt, row))
    made = Output(OutputId(f"{prompt}-{row}-{number}"), STUDY, prompt, row, text, number, error=error)
    store.add(Batch(outputs=[made]))


def test_a_live_study_wants_its_first_outputs_and_then_asks_what_it_wanted(store: Store) -> None:
    workshop = without_outputs(store)
    with pytest.raises(NothingToAsk, match="No two prompts have an output"):
        workshop.next_duel(STUDY, ANN)
    wanted = workshop.next_live_duel(STUDY, ANN)
    assert isinstance(wanted, Wanted)
    assert wanted.first != wanted.second
    assert store.counters(STUDY).duels == 0
    written(store, wanted.first, wanted.input)
    assert workshop.next_live_duel(STUDY, ANN, wanted) == wanted  # one half is not enough
    for row in store.inputs(STUDY):  # others are ready: it still is the one under the rater's eyes
        for prompt in ("p0", "p1"):
            if row.id != wanted.input:
                written(store, PromptId(prompt), row.id)
    written(store, wanted.second, wanted.input)
    shown = workshop.next_live_duel(STUDY, ANN, wanted)
    assert isinstance(shown, ShownDuel)
    duel = shown.duel
    assert (duel.input, duel.first_prompt, duel.second_prompt) == (wanted.input, wanted.first, wanted.second)
    assert workshop.next_live_duel(STUDY, ANN) == shown  # the open duel, as ever


def test_a_live_study_asks_pairs_on_fresh_inputs_that_are_ready_first(store: Store) -> None:
    workshop = without_outputs(store, prompts=2, inputs=3)
    for row in ("x1", "x2"):
        written(store, PromptId("p0"), InputId(row))
        written(store, PromptId("p1"), InputId(row))
    asked = []
    for _ in range(2):
        shown = workshop.next_live_duel(STUDY, ANN)
        assert isinstance(shown, ShownDuel)
        asked.append(shown.duel.input)
        workshop.record_vote(shown.duel.id, ANN, Outcome.FIRST)
    assert sorted(asked) == ["x1", "x2"]
    wanted = workshop.next_live_duel(STUDY, ANN)
    assert isinstance(wanted, Wanted)
    assert wanted.input == "x0"
    written(store, wanted.first, wanted.input)
    written(store, wanted.second, wanted.input, "", error="Refused.")
    shown = workshop.next_live_duel(STUDY, ANN)  # what was held back is not tried again and again
    assert isinstance(shown, ShownDuel)
    assert shown.duel.input in ("x1", "x2")


def test_a_live_study_stays_balanced_over_its_inputs(store: Store) -> None:
    """Outputs that are there already tempt: ten duels of five prompts could stay on three inputs."""
    workshop = without_outputs(store, prompts=5, inputs=5)
    asked: Counter[str] = Counter()
    for _ in range(10):
        wanted = workshop.next_live_duel(STUDY, ANN)
        if isinstance(wanted, Wanted):
            there = {output.prompt for output in store.outputs(STUDY) if output.input == wanted.input}
            for prompt in {wanted.first, wanted.second} - there:
                written(store, prompt, wanted.input)
            wanted = workshop.next_live_duel(STUDY, ANN, wanted)
        assert isinstance(wanted, ShownDuel)
        asked[wanted.duel.input] += 1
        workshop.record_vote(wanted.duel.id, ANN, Outcome.FIRST)
    assert len(asked) == 5
    assert max(asked.values()) <= 3


def test_what_is_wanted_is_dropped_when_a_prompt_is_retired(store: Store) -> None:
    workshop = without_outputs(store, prompts=3)
    wanted = workshop.next_live_duel(STUDY, ANN)
    assert isinstance(wanted, Wanted)
    retired = next(prompt for prompt in store.prompts(STUDY) if prompt.id == wanted.second)
    store.replace(replace(retired, retired_at=utc_now()))
    other = workshop.next_live_duel(STUDY, ANN, wanted)
    assert isinstance(other, Wanted)
    assert retired.id not in (other.first, other.second)


def test_a_live_study_whose_outputs_are_all_held_back_says_so(store: Store) -> None:
    workshop = without_outputs(store, prompts=2, inputs=1)
    written(store, PromptId("p0"), InputId("x0"), "", error="Refused.")
    with pytest.raises(NothingToAsk, match="held back"):
        workshop.next_live_duel(STUDY, ANN)


@pytest.mark.parametrize("name", [name for name, one in SELECTORS.items() if Need.SCORES not in one.needs])
def test_every_selector_can_run_a_study(store: Store, name: str) -> None:
    """What a selector needs beyond counts is there: embeddings, the order of votes, the budget."""
    store.add(study_of(replace(QUIET, selector=name, budget=40)))
    workshop = Workshop(store, Pairing(store))
    asked = set()
    for _ in range(12):
        duel = workshop.next_duel(STUDY, ANN).duel
        assert duel.selector == name
        asked.add(frozenset((duel.first_prompt, duel.second_prompt)))
        workshop.record_vote(duel.id, ANN, Outcome.FIRST if duel.first_prompt == "p0" else Outcome.SECOND)
    assert len(asked) > 1


def test_each_sample_of_a_prompt_is_shown_before_any_is_shown_again(store: Store) -> None:
    everything = study_of(QUIET, prompts=4, inputs=1)
    again = [
        replace(output, id=OutputId(f"{output.id}-{n}"), sample=n)
        for output in everything.outputs
        for n in (1, 2)
    ]
    store.add(replace(everything, outputs=[*everything.outputs, *again]))
    workshop = Workshop(store, Pairing(store))
    shown: dict[str, list[int]] = {}
    for _ in range(24):  # whomever a prompt meets
        found = workshop.next_duel(STUDY, ANN)
        for output in (found.first, found.second):
            shown.setdefault(output.prompt, []).append(output.sample)
        workshop.record_vote(found.duel.id, ANN, Outcome.SKIP)
    for samples in shown.values():
        assert samples == [n % 3 for n in range(len(samples))]
