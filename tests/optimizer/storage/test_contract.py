"""What every registered store promises (the list at the top of optimizer/storage/base.py)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from optimizer.domain import (
    ANSWERS,
    Batch,
    Connection,
    DuelId,
    Grade,
    InputId,
    Origin,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    RaterId,
    RaterKind,
    Settings,
    StudyId,
    VoteId,
)
from optimizer.errors import AlreadyVoted, BadInput, Conflict, DuelClosed, NotAllowed, NotFound
from optimizer.storage.base import CellCount, OutputKey, PairCount, Store
from tests.optimizer.storage.world import HOUR, NOW, duel_of, study_of, vote_on, world

S = StudyId("s")
R0 = RaterId("s-r0")
LATER = NOW + timedelta(minutes=5)


def ask(store: Store, **kept: object):
    duel = duel_of(**kept)
    store.add(Batch(duels=[duel]))
    return duel


def cast(store: Store, duel, *answer: object, **kept: object):
    vote = vote_on(duel, *answer, **kept)
    store.add_vote(vote)
    return vote


def answers(store: Store) -> dict[tuple[str, str, str], tuple[int, ...]]:
    return {(c.kind.value, c.first, c.second): c.answers for c in store.pair_counts(S)}


def row(**times: int) -> tuple[int, ...]:
    """A row of counts from the names of its answers, e.g. first=2, first_clearly=1."""
    names = [f"{outcome}_{grade}" if grade else str(outcome) for outcome, grade in ANSWERS]
    assert set(times) <= set(names)
    return tuple(times.get(name, 0) for name in names)


# -- what is stored is read back as it was ----------------------------------------------------
def test_a_study_reads_back_as_it_was(store: Store) -> None:
    expected = world()
    assert store.studies() == list(expected.studies)
    assert store.study(S) == expected.studies[0]
    assert store.prompts(S) == list(expected.prompts)
    assert store.inputs(S) == list(expected.inputs)
    assert store.outputs(S) == list(expected.outputs)
    assert store.raters(S) == list(expected.raters)
    assert store.input(InputId("s-x1")) == expected.inputs[1]
    assert store.rater(RaterId("s-r2")).kind is RaterKind.JUDGE


def test_every_field_reads_back_as_it_was(store: Store) -> None:
    study = replace(
        study_of("full"),
        settings=Settings(selector="random", budget=12, reveal=False, lease_minutes=1.5),
        seed=-(2**63),
        about="written in advance",
        archived_at=LATER,
    )
    parent = Prompt(PromptId("full-p"), study.id, "One", "Do {{it}}", created_at=NOW)
    child = replace(
        parent, id=PromptId("full-q"), parent=parent.id, origin=Origin.PROPOSED, note="n", retired_at=NOW
    )
    input = replace(
        world("full").inputs[0],
        variables={"it": 'quote " and\nline', "ключ": "値"},
        tags=("a", "b c"),
        retired_at=NOW,
    )
    output = Output(
        id=OutputId("full-o"),
        study=study.id,
        prompt=child.id,
        input=input.id,
        text="",
        sample=3,
        model="m",
        settings={"temperature": 0.1, "stop": ["a", None], "deep": {"x": True}},
        usage={"input_tokens": 12, "cost": 0.25},
        latency_ms=12.5,
        finish_reason="length",
        error="timed out",
        created_at=NOW,
    )
    # a child may stand before its parent in a batch
    store.add(Batch([study], [child, parent], [input], [output]))
    assert store.study(study.id) == study
    assert store.prompts(study.id) == [child, parent]
    assert store.inputs(study.id) == [input]
    assert store.output(output.id) == output
    assert store.output_index(study.id) == [OutputKey(output.id, child.id, input.id, 3, False, 0)]

    earlier = ask(store)
    duel = ask(store, replay=True, audit=True, repeats=earlier.id, closed_at=None)
    assert store.duel(duel.id) == duel
    vote = cast(
        store, duel, Outcome.SECOND, Grade.SLIGHTLY, view_ms=1234, first_reasons=("a", "b"), comment="naïve\n"
    )
    assert store.vote(vote.id) == vote
    assert store.duel(duel.id) == replace(duel, closed_at=vote.at)


@pytest.mark.parametrize(
    "text", ["nul \0 inside", "\0", "مرحبا שלום", "a\r\nb\u2028c", "\ufeff👩‍👩‍👧", "x" * 1_000_000]
)
def test_texts_read_back_to_the_last_character(store: Store, text: str) -> None:
    output = replace(world().outputs[0], id=OutputId("odd"), sample=1, text=text)
    store.add(Batch(outputs=[output]))
    assert store.output(output.id).text == text
    assert store.output_index(S)[-1].length == len(text)
    cast(store, duel := ask(store), comment=text)
    assert store.ballots(S, duel=duel.id)[0].vote.comment == text


def test_blank_and_failed_outputs_are_not_usable(store: Store) -> None:
    base = world().outputs[0]
    for sample, (text, error) in enumerate([("\u2003\n", ""), ("fine", "cut off"), ("fine", "")], start=1):
        store.add(Batch(outputs=[replace(base, id=f"u{sample}", sample=sample, text=text, error=error)]))
    assert [key.usable for key in store.output_index(S)][-3:] == [False, False, True]


def test_outputs_by_prompt_by_input_and_by_cell(store: Store) -> None:
    p1, x1 = PromptId("s-p1"), InputId("s-x1")
    assert [o.id for o in store.outputs(S, prompt=p1)] == ["s-o10", "s-o11"]
    assert [o.id for o in store.outputs(S, input=x1)] == ["s-o01", "s-o11", "s-o21"]
    assert [o.id for o in store.outputs(S, p1, x1)] == ["s-o11"]
    assert store.outputs(S, PromptId("nobody")) == []


def test_times_of_other_zones_are_the_same_moments(store: Store) -> None:
    here = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    duel = ask(store, asked_at=here, expires_at=here + HOUR)
    assert store.open_duel(S, R0, NOW + HOUR - timedelta(microseconds=1)) == duel
    assert store.open_duel(S, R0, NOW + HOUR) is None


# -- 2: whole or not at all -------------------------------------------------------------------
def snapshot(store: Store) -> object:
    return (
        store.studies(),
        store.prompts(S),
        store.inputs(S),
        store.raters(S),
        store.output_index(S),
        store.last_duels(S, limit=99),
        store.ballots(S),
        store.pair_counts(S),
        store.counters(S),
    )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Batch(votes=[vote_on(duel_of(id="ghost"))]), NotFound),
        (Batch(duels=[duel_of(id="bad", first_prompt=PromptId("s-p2"))]), NotFound),
        (Batch(duels=[duel_of(id="bad", rater=9)]), NotFound),
        (Batch(duels=[duel_of(id="bad", repeats=DuelId("ghost"))]), NotFound),
        (Batch(duels=[duel_of(first=0, second=0, id="bad")]), BadInput),
        (Batch(duels=[duel_of(id="open")]), Conflict),
        (Batch(prompts=[replace(world().prompts[0], id=PromptId("new"), study=StudyId("ghost"))]), NotFound),
        (
            Batch(prompts=[replace(world().prompts[0], id=PromptId("new"), parent=PromptId("ghost"))]),
            NotFound,
        ),
        (Batch(outputs=[replace(world().outputs[0], id=OutputId("new"))]), Conflict),
        (
            Batch(outputs=[replace(world().outputs[0], id=OutputId("new"), prompt=PromptId("ghost"))]),
            NotFound,
        ),
        (Batch(outputs=[replace(world().outputs[0], sample=1)]), Conflict),
        (Batch(outputs=[replace(world().outputs[0], id=OutputId("new"), sample=1, text="\ud800")]), BadInput),
        (Batch(inputs=[replace(world().inputs[0], id=InputId("new"), variables={"it": "\udfff"})]), BadInput),
        (Batch(inputs=[replace(world().inputs[0], id=InputId("new"), tags=("\ud800",))]), BadInput),
        (
            Batch(
                raters=[replace(world().raters[0], id=RaterId("new"), created_at=NOW.replace(tzinfo=None))]
            ),
            BadInput,
        ),
        (Batch(studies=[replace(study_of("new"), seed=2**63)]), BadInput),
        (Batch(outputs=[replace(world().outputs[0], id="new", sample=1, latency_ms=float("nan"))]), BadInput),
        (Batch(outputs=[replace(world().outputs[0], id="new", sample=1, settings={"a": (1, 2)})]), BadInput),
        (
            Batch(outputs=[replace(world().outputs[0], id="new", sample=1, usage={"a": float("inf")})]),
            BadInput,
        ),
        (Batch(votes=[vote_on(duel_of(id="open"), Outcome.SKIP, Grade.CLEARLY)]), BadInput),
        (Batch(changes=[replace(world().prompts[0], text="edited")]), Conflict),
        (Batch(changes=[replace(world().prompts[0], id=PromptId("ghost"))]), NotFound),
        (Batch(changes=[replace(world().inputs[0], variables={})]), Conflict),
        (Batch(changes=[replace(world().raters[0], kind=RaterKind.JUDGE)]), Conflict),
        (Batch(changes=[replace(study_of(), seed=8)]), Conflict),
    ],
)
def test_a_batch_with_one_fault_changes_nothing(store: Store, fault: Batch, error: type[Exception]) -> None:
    open_one = ask(store, id="open")
    done = ask(store)
    cast(store, done)
    before = snapshot(store)
    fine = Batch(
        studies=[study_of("t"), *fault.studies],
        prompts=[replace(world().prompts[0], id=PromptId("fine"), name="Fine"), *fault.prompts],
        inputs=[replace(world().inputs[0], id=InputId("fine")), *fault.inputs],
        outputs=[replace(world().outputs[0], id=OutputId("fine"), sample=5), *fault.outputs],
        raters=[replace(world().raters[0], id=RaterId("fine")), *fault.raters],
        duels=[extra := duel_of(), *fault.duels],
        votes=[vote_on(extra), *fault.votes],
        changes=[replace(world().prompts[1], name="renamed"), *fault.changes],
    )
    with pytest.raises(error):
        store.add(fine)
    assert snapshot(store) == before
    assert store.open_duel(S, R0, NOW) == open_one
    with pytest.raises(NotFound):
        store.study(StudyId("t"))


def test_the_fault_names_the_field(store: Store) -> None:
    with pytest.raises(BadInput, match="text of an output"):
        store.add(Batch(outputs=[replace(world().outputs[0], id=OutputId("new"), sample=1, text="a\ud800")]))
    duel = ask(store)
    with pytest.raises(BadInput, match="comment of a vote"):
        cast(store, duel, comment="\ud800")
    vote = cast(store, duel)
    with pytest.raises(BadInput, match="second_reasons of a vote"):
        store.note_vote(vote.id, (), ("\ud800",), "", LATER)
    assert store.vote(vote.id) == vote


def test_a_batch_may_hold_a_whole_history(store: Store) -> None:
    whole = world("t")
    open_one = duel_of(name="t")
    answered = duel_of(2, 1, name="t", rater=1)
    changed_mind = duel_of(1, 0, name="t", closed_at=LATER)
    old = vote_on(changed_mind, Outcome.FIRST, withdrawn_at=LATER)
    new = vote_on(changed_mind, Outcome.SECOND)
    expired = duel_of(0, 2, name="t", expires_at=NOW)
    late = vote_on(expired, at=NOW + 9 * HOUR)
    history = replace(
        whole,
        duels=[open_one, answered, changed_mind, expired],
        votes=[vote_on(answered, Outcome.BOTH_BAD), old, new, late],
    )
    store.add(history)
    t = StudyId("t")
    assert store.counters(t).duels == 4
    assert store.counters(t).votes == 3
    assert {(c.first, c.second): c.answers for c in store.pair_counts(t)} == {
        ("t-p2", "t-p1"): row(both_bad=1),
        ("t-p1", "t-p0"): row(second=1),
        ("t-p0", "t-p2"): row(first=1),
    }
    assert store.vote(old.id) == old
    assert store.duel(changed_mind.id).closed_at == LATER
    assert store.duel(expired.id).closed_at == late.at
    assert store.pending(t, NOW) == [("t-p0", "t-p1")]


def test_a_withdrawn_vote_of_a_history_leaves_its_duel_open(store: Store) -> None:
    fresh, stored = duel_of(), ask(store, rater=1)
    votes = [vote_on(duel, withdrawn_at=LATER) for duel in (fresh, stored)]
    store.add(Batch(duels=[fresh], votes=votes))
    assert store.open_duel(S, R0, NOW) == fresh
    assert store.open_duel(S, stored.rater, NOW) == stored
    assert store.counters(S).votes == 0
    cast(store, fresh, Outcome.SKIP)
    assert answers(store) == {("human", "s-p0", "s-p1"): row(skip=1)}


# -- 3: votes are withdrawn and restored, never deleted ----------------------------------------
def test_a_vote_is_withdrawn_and_restored(store: Store) -> None:
    duel = ask(store)
    vote = cast(store, duel, Outcome.FIRST, Grade.CLEARLY)
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first_clearly=1)}

    store.withdraw_vote(vote.id, LATER)
    assert answers(store) == {}
    assert store.vote(vote.id) == replace(vote, withdrawn_at=LATER)
    assert store.duel(duel.id).closed_at == vote.at  # not asked again
    assert store.open_duel(S, R0, LATER) is None
    assert store.answered(S) == []
    assert [b.vote.id for b in store.ballots(S)] == [vote.id]
    with pytest.raises(Conflict, match="withdrawn already"):
        store.withdraw_vote(vote.id, LATER)

    store.restore_vote(vote.id, LATER)
    assert store.vote(vote.id) == vote
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first_clearly=1)}
    with pytest.raises(Conflict, match="stands already"):
        store.restore_vote(vote.id, LATER)


def test_undo_opens_the_duel_again(store: Store) -> None:
    first, second = ask(store), ask(store, first=1, second=2)
    vote = cast(store, first)
    assert store.open_duel(S, R0, LATER) == second
    store.withdraw_vote(vote.id, LATER, reopen_until=LATER + HOUR)
    assert store.open_duel(S, R0, LATER) == replace(first, expires_at=LATER + HOUR)  # asked first
    assert store.pending(S, LATER) == [("s-p0", "s-p1"), ("s-p1", "s-p2")]

    again = cast(store, first, Outcome.SECOND)
    assert answers(store) == {("human", "s-p0", "s-p1"): row(second=1)}
    with pytest.raises(Conflict, match="Another vote"):
        store.restore_vote(vote.id, LATER)
    store.withdraw_vote(again.id, LATER)
    store.restore_vote(vote.id, LATER)
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first=1)}
    assert store.ballots(S, duel=first.id, newest_first=False) == store.ballots(S, duel=first.id)[::-1]


def test_restoring_closes_a_duel_that_undo_had_opened(store: Store) -> None:
    duel = ask(store)
    vote = cast(store, duel)
    store.withdraw_vote(vote.id, LATER, reopen_until=LATER + HOUR)
    store.restore_vote(vote.id, LATER)
    assert store.open_duel(S, R0, LATER) is None
    assert store.duel(duel.id).closed_at == LATER


def test_notes_are_set_and_change_nothing_else(store: Store) -> None:
    vote = cast(store, ask(store), comment="first thought")
    before = store.counters(S), store.pair_counts(S)
    store.note_vote(vote.id, ("clear",), ("too long", "vague"), "second thought", LATER)
    noted = replace(
        vote, first_reasons=("clear",), second_reasons=("too long", "vague"), comment="second thought"
    )
    assert store.vote(vote.id) == noted
    assert (store.counters(S), store.pair_counts(S)) == before
    store.withdraw_vote(vote.id, LATER)
    store.note_vote(vote.id, (), (), "", LATER)
    assert store.vote(vote.id) == replace(vote, comment="", withdrawn_at=LATER)


# -- 4 and 5: one standing vote, by the rater asked, on an open duel ---------------------------
def test_a_second_vote_is_recognised_and_carries_the_first(store: Store) -> None:
    duel = ask(store)
    vote = cast(store, duel, Outcome.BOTH_GOOD)
    with pytest.raises(AlreadyVoted) as caught:
        cast(store, duel, Outcome.SECOND)
    assert caught.value.vote == vote
    with pytest.raises(AlreadyVoted):
        store.add_vote(vote)  # the very same one, sent twice
    with pytest.raises(AlreadyVoted):
        store.add(Batch(votes=[vote_on(duel)]))
    with pytest.raises(AlreadyVoted):
        store.add(Batch(duels=[twice := duel_of()], votes=[vote_on(twice), vote_on(twice)]))
    assert store.counters(S).votes == 1


def test_only_the_rater_who_was_asked_may_vote(store: Store) -> None:
    duel = ask(store)
    with pytest.raises(NotAllowed):
        cast(store, duel, rater=RaterId("s-r1"))
    assert store.open_duel(S, R0, NOW) == duel


def test_a_closed_or_expired_duel_takes_no_vote(store: Store) -> None:
    expired = ask(store)
    with pytest.raises(DuelClosed, match="expired"):
        cast(store, expired, at=NOW + HOUR)
    store.add_vote(vote_on(expired, at=NOW + HOUR - timedelta(microseconds=1)))
    released = ask(store)
    assert store.release_expired(NOW + HOUR) == 1
    with pytest.raises(DuelClosed):
        cast(store, released)
    with pytest.raises(DuelClosed):
        store.add(Batch(votes=[vote_on(released)]))
    undone = cast(store, duel := ask(store))
    store.withdraw_vote(undone.id, LATER)
    with pytest.raises(DuelClosed):
        cast(store, duel)


def test_a_lease_is_renewed_while_the_duel_is_open(store: Store) -> None:
    duel = ask(store)
    store.renew_duel(duel.id, NOW + 2 * HOUR)
    assert store.open_duel(S, R0, NOW + HOUR) == replace(duel, expires_at=NOW + 2 * HOUR)
    cast(store, duel, at=NOW + HOUR)
    with pytest.raises(DuelClosed):
        store.renew_duel(duel.id, NOW + 3 * HOUR)


def test_expired_duels_are_released(store: Store) -> None:
    short, long = ask(store), ask(store, rater=1, expires_at=NOW + 2 * HOUR)
    answered = ask(store, rater=2)
    cast(store, answered)
    assert store.release_expired(NOW) == 0
    assert store.release_expired(NOW + HOUR) == 1
    assert store.duel(short.id).closed_at == NOW + HOUR
    assert store.duel(long.id).closed_at is None
    assert store.release_expired(NOW + HOUR) == 0


# -- 6: counts equal a recount -----------------------------------------------------------------
def test_every_answer_has_its_place_in_the_counts(store: Store) -> None:
    for times, answer in enumerate(ANSWERS, start=1):
        for _ in range(times):
            cast(store, ask(store), *answer)
    assert store.pair_counts(S) == [PairCount(RaterKind.HUMAN, "s-p0", "s-p1", tuple(range(1, 10)))]
    assert store.cell_counts(S) == [CellCount(RaterKind.HUMAN, "s-x0", "s-p0", "s-p1", tuple(range(1, 10)))]


def test_people_and_judges_sides_and_inputs_are_counted_apart(store: Store) -> None:
    cast(store, ask(store))
    cast(store, ask(store, first=1, second=0))
    cast(store, ask(store, rater=2, input=1))
    cast(store, ask(store, rater=1, input=1))
    assert answers(store) == {
        ("human", "s-p0", "s-p1"): row(first=2),
        ("human", "s-p1", "s-p0"): row(first=1),
        ("judge", "s-p0", "s-p1"): row(first=1),
    }
    assert store.cell_counts(S) == [
        CellCount(RaterKind.HUMAN, "s-x0", "s-p0", "s-p1", row(first=1)),
        CellCount(RaterKind.HUMAN, "s-x0", "s-p1", "s-p0", row(first=1)),
        CellCount(RaterKind.HUMAN, "s-x1", "s-p0", "s-p1", row(first=1)),
        CellCount(RaterKind.JUDGE, "s-x1", "s-p0", "s-p1", row(first=1)),
    ]


def test_replays_never_count(store: Store) -> None:
    original = ask(store)
    cast(store, original)
    replay = ask(store, first=1, second=0, replay=True, repeats=original.id)
    vote = cast(store, replay, Outcome.SECOND)
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first=1)}
    assert store.counters(S).votes == 2
    store.withdraw_vote(vote.id, LATER)
    store.restore_vote(vote.id, LATER)
    store.replace(replace(store.rater(R0), set_aside_at=LATER))
    assert answers(store) == {}
    store.replace(replace(store.rater(R0), set_aside_at=None))
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first=1)}
    assert [(a.replay, a.counts, a.repeats) for a in store.answered(S)] == [
        (False, True, None),
        (True, False, original.id),
    ]


def test_a_rater_who_is_set_aside_does_not_count(store: Store) -> None:
    cast(store, ask(store))
    gone = cast(store, ask(store, rater=1), Outcome.BOTH_GOOD)
    kept = cast(store, ask(store, rater=1), Outcome.SKIP)
    r1 = store.rater(RaterId("s-r1"))
    aside = replace(r1, set_aside_at=LATER, name="Careless")
    store.replace(aside)
    assert store.raters(S)[1] == aside
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first=1)}
    assert store.counters(S).votes == 3
    assert [a.counts for a in store.answered(S)] == [True, False, False]

    # what happens to the votes meanwhile shows when the rater is back
    store.withdraw_vote(gone.id, LATER)
    cast(store, ask(store, rater=1), Outcome.BOTH_BAD)
    store.replace(replace(aside, set_aside_at=LATER + HOUR))  # again: nothing moves twice
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first=1)}
    store.replace(replace(aside, set_aside_at=None))
    assert answers(store) == {("human", "s-p0", "s-p1"): row(first=1, skip=1, both_bad=1)}
    assert store.vote(kept.id) == kept


def test_answered_tells_what_statistics_need(store: Store) -> None:
    duel = ask(store, rater=2, audit=True, input=1)
    vote = cast(store, duel, Outcome.SECOND, Grade.SLIGHTLY, view_ms=77)
    (answered,) = store.answered(S)
    assert (answered.vote, answered.duel, answered.rater, answered.kind) == (
        vote.id,
        duel.id,
        "s-r2",
        RaterKind.JUDGE,
    )
    assert (answered.first, answered.second) == ("s-p0", "s-p1")
    assert (answered.first_output, answered.second_output) == ("s-o01", "s-o11")
    assert (answered.input, answered.answer, answered.at, answered.view_ms) == ("s-x1", 5, vote.at, 77)
    assert (answered.audit, answered.replay, answered.counts, answered.repeats) == (True, False, True, None)


# -- 7: versions -------------------------------------------------------------------------------
def test_content_version_grows_with_content_only(store: Store) -> None:
    base = world()
    for change in (
        Batch(prompts=[replace(base.prompts[0], id=PromptId("new"), name="New")]),
        Batch(inputs=[replace(base.inputs[0], id=InputId("new"))]),
        Batch(outputs=[replace(base.outputs[0], id=OutputId("new"), sample=1)]),
        Batch(changes=[replace(base.prompts[0], retired_at=NOW)]),
        Batch(changes=[replace(base.inputs[0], tags=())]),
    ):
        before = store.counters(S)
        store.add(change)
        assert store.counters(S).content_version > before.content_version
        assert store.counters(S).vote_version == before.vote_version
    before = store.counters(S)
    duel = ask(store)
    store.renew_duel(duel.id, NOW + 2 * HOUR)
    cast(store, duel)
    store.release_expired(LATER)
    assert store.counters(S).content_version == before.content_version


def test_vote_version_grows_with_what_counts(store: Store) -> None:
    duel = ask(store)
    asked = store.counters(S)
    assert (asked.vote_version, asked.duels, asked.votes) == (0, 1, 0)
    vote = cast(store, duel)
    rater = store.rater(R0)
    for step in (
        lambda: store.withdraw_vote(vote.id, LATER),
        lambda: store.restore_vote(vote.id, LATER),
        lambda: store.replace(replace(rater, set_aside_at=NOW)),
        lambda: store.replace(rater),
        lambda: store.add(Batch(duels=[other := duel_of()], votes=[vote_on(other)])),
    ):
        before = store.counters(S).vote_version
        step()
        assert store.counters(S).vote_version > before
    before = store.counters(S)
    ask(store)
    store.note_vote(vote.id, (), (), "well", LATER)
    store.replace(replace(rater, name="Renamed"))
    assert store.counters(S).vote_version == before.vote_version
    assert store.counters(S).votes == 2


# -- 8: many at once ---------------------------------------------------------------------------
def test_threads_do_not_lose_or_double_votes(store: Store) -> None:
    duels = [duel_of(input=n % 2, rater=n % 3) for n in range(60)]
    store.add(Batch(duels=duels))

    refused: list[str] = []

    def vote_on_all(_: int) -> list[str]:
        stood: list[str] = []
        for duel in duels:
            vote = vote_on(duel)
            try:
                store.add_vote(vote)
                stood.append(vote.id)
            except AlreadyVoted:
                refused.append(vote.id)
            store.pair_counts(S)
        return stood

    with ThreadPoolExecutor(8) as pool:
        stood = [vote for votes in pool.map(vote_on_all, range(8)) for vote in votes]
    assert len(stood) == len(duels)
    assert len(refused) == 7 * len(duels)
    assert {a.vote for a in store.answered(S)} == set(stood)
    assert sum(sum(c.answers) for c in store.pair_counts(S)) == len(duels)


# -- 9: unknown ids ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "question",
    [
        lambda s: s.study(StudyId("no")),
        lambda s: s.counters(StudyId("no")),
        lambda s: s.prompts(StudyId("no")),
        lambda s: s.inputs(StudyId("no")),
        lambda s: s.raters(StudyId("no")),
        lambda s: s.outputs(StudyId("no")),
        lambda s: s.output_index(StudyId("no")),
        lambda s: s.open_duel(StudyId("no"), R0, NOW),
        lambda s: s.pending(StudyId("no"), NOW),
        lambda s: s.last_duels(StudyId("no")),
        lambda s: s.duels_by_input(StudyId("no"), PromptId("a"), PromptId("b")),
        lambda s: s.last_vote(StudyId("no"), R0),
        lambda s: s.ballots(StudyId("no")),
        lambda s: s.answered(StudyId("no")),
        lambda s: s.pair_counts(StudyId("no")),
        lambda s: s.cell_counts(StudyId("no")),
        lambda s: s.rater(RaterId("no")),
        lambda s: s.input(InputId("no")),
        lambda s: s.output(OutputId("no")),
        lambda s: s.duel(DuelId("no")),
        lambda s: s.vote(VoteId("no")),
        lambda s: s.withdraw_vote(VoteId("no"), NOW),
        lambda s: s.restore_vote(VoteId("no"), NOW),
        lambda s: s.note_vote(VoteId("no"), (), (), "", NOW),
        lambda s: s.renew_duel(DuelId("no"), NOW),
        lambda s: s.replace(study_of("no")),
        lambda s: s.remove_connection("no"),
    ],
)
def test_unknown_ids_are_not_found(store: Store, question) -> None:
    with pytest.raises(NotFound, match="no"):
        question(store)


def test_things_of_another_study_are_not_found(store: Store) -> None:
    store.add(world("t"))
    with pytest.raises(NotFound):
        ask(store, rater=0, first_prompt=PromptId("t-p0"), first=OutputId("t-o00"))
    other = duel_of(id="other", name="t")
    store.add(Batch(duels=[other]))
    with pytest.raises(NotFound):
        store.add_vote(vote_on(other, study=S))
    assert store.last_duels(S) == []
    assert store.pending(S, NOW) == []
    store.add_vote(vote_on(other))
    assert store.pair_counts(S) == store.answered(S) == store.ballots(S) == []
    assert len(store.pair_counts(StudyId("t"))) == 1


# -- reading in order --------------------------------------------------------------------------
def test_duels_and_votes_come_in_order_of_arrival(store: Store) -> None:
    duels = [ask(store, rater=n % 2, asked_at=NOW - n * HOUR) for n in range(6)]
    votes = [cast(store, duel, at=NOW - n * HOUR) for n, duel in enumerate(duels)]
    assert [d.id for d in store.last_duels(S, limit=4)] == [d.id for d in duels[:1:-1]]
    assert [d.id for d in store.last_duels(S, R0, limit=9)] == [d.id for d in duels[4::-2]]
    assert store.last_vote(S, R0) == votes[4]
    store.withdraw_vote(votes[4].id, LATER)
    assert store.last_vote(S, R0) == votes[2]
    ids = [v.id for v in votes]
    assert [b.vote.id for b in store.ballots(S)] == ids[::-1]
    assert [b.vote.id for b in store.ballots(S, newest_first=False, limit=2, offset=1)] == ids[1:3]
    assert [b.vote.id for b in store.ballots(S, limit=2, offset=3)] == ids[2:0:-1]
    assert [b.vote.id for b in store.ballots(S, rater=R0, offset=1)] == [ids[2], ids[0]]
    assert [b.vote.id for b in store.ballots(S, rater=R0, duel=duels[1].id)] == []
    assert all(b.duel.id == b.vote.duel for b in store.ballots(S))
    store.add(Batch(studies=[replace(study_of("earlier"), created_at=NOW - HOUR)]))
    assert [s.id for s in store.studies()] == ["earlier", "s"]


def test_duels_are_counted_by_input_whatever_came_of_them(store: Store) -> None:
    p0, p1, p2 = (p.id for p in world().prompts)
    cast(store, ask(store))
    ask(store, first=1, second=0, rater=1)
    ask(store, input=1, replay=True)
    ask(store, first=2, second=0)
    assert store.duels_by_input(S, p0, p1) == store.duels_by_input(S, p1, p0) == {"s-x0": 2, "s-x1": 1}
    assert store.duels_by_input(S, p0, p2) == {"s-x0": 1}
    assert store.duels_by_input(S, p1, p2) == {}
    assert store.duels_by_input(S, p0) == {"s-x0": 3, "s-x1": 1}
    assert store.duels_by_input(S, p1) == {"s-x0": 2, "s-x1": 1}
    assert store.duels_by_input(S, p2) == {"s-x0": 1}
    assert store.duels_by_input(S) == {"s-x0": 3, "s-x1": 1}


def test_connections_belong_to_no_study(store: Store) -> None:
    slow = Connection("slow", "http://localhost:1/v1", "m", temperature=0.5, max_tokens=None, created_at=NOW)
    fast = replace(slow, name="fast", input_price=0.5, requests_per_minute=60)
    store.put_connection(slow)
    store.put_connection(fast)
    assert store.connections() == [fast, slow]
    changed = replace(slow, concurrency=2)
    store.put_connection(changed)
    assert store.connections() == [fast, changed]
    store.remove_connection("fast")
    assert store.connections() == [changed]
