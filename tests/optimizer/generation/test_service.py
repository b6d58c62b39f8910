"""Generation as pages and commands use it, against a real HTTP server."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.domain import Batch, Input, InputId, Output, Prompt, PromptId, Study, StudyId
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.generation import Generation
from optimizer.generation.cells import Cell, Order
from optimizer.generation.job import Job, State
from optimizer.generation.keeper import MOST_UNSTORED
from optimizer.llm.budget import Budget
from optimizer.llm.errors import CallCancelled
from optimizer.llm.keys import KeyRing, origin
from optimizer.storage.memory import MemoryStore
from optimizer.storage.sqlite import SqliteStore
from tests.fakes.openai_server import FakeServer, Fault, wordy

STUDY = StudyId("study")
WHOLE = Order(STUDY, "fake")
OnStore = Callable[..., Generation]


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.005)


def finished(job: Job) -> Job:
    assert job.wait(15)
    return job


def cells(*names: str) -> list[Cell]:
    return [Cell(PromptId(name[:2]), InputId(name[2:])) for name in names]


# -- whole orders -----------------------------------------------------------------------------
def test_the_grid_is_filled_each_cell_once(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    job = finished(generation_on(store).start(Order(STUDY, "fake", samples=2)))
    progress = job.progress()
    assert (progress.state, progress.done, progress.failed, progress.in_flight) == (State.DONE, 40, 0, 0)
    assert progress.share == 1.0
    assert server.answered == 40
    assert max(server.answers.values()) == 2  # one call for each of two samples
    stored = store.outputs(STUDY)
    assert len({(o.prompt, o.input, o.sample) for o in stored}) == 40
    assert all(output.usable for output in stored)


def test_the_preview_says_what_it_will_take_and_the_ledger_what_it_took(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    generation = generation_on(store)
    before = generation.preview(WHOLE)
    assert before.sentence == "20 calls, about 2,200 tokens, about $0.004"
    progress = finished(generation.start(WHOLE)).progress()
    spent = generation.spent(STUDY)
    assert sum(one.calls for one in spent.values()) == progress.spent.calls == 20
    told = sum(
        output.usage["input_tokens"] + 2 * output.usage["output_tokens"] for output in store.outputs(STUDY)
    )
    assert sum(one.money for one in spent.values()) == pytest.approx(told / 1e6) == progress.spent.money
    assert generation.preview(WHOLE).sentence == "Nothing to call for: every output is there."


def test_the_preview_finds_templates_that_fit_no_input(store: MemoryStore, generation_on: OnStore) -> None:
    store.add(Batch(prompts=[Prompt(PromptId("px"), STUDY, "X", "On {{topic}}")]))
    preview = generation_on(store).preview(WHOLE)
    assert (preview.calls, preview.unfit) == (20, 5)
    assert "topic" in preview.fault


def test_stopping_and_starting_again_repeats_no_call(
    server: FakeServer, file_store: SqliteStore, generation_on: OnStore
) -> None:
    """200 calls, interrupted twice; the server's own count shows each request once."""
    server.latency_s = 0.01
    for stop_at in (60, 130, None):
        generation = generation_on(file_store)
        job = generation.start(WHOLE)
        if stop_at is not None:
            until(lambda at=stop_at: server.answered >= at)  # type: ignore[misc]
            generation.close()
            assert job.progress().state is State.CANCELLED
        else:
            finished(job)
    assert server.answered == server.calls == 200
    assert max(server.answers.values()) == 1
    assert len(file_store.output_index(STUDY)) == 200


def test_the_same_request_in_another_study_is_not_paid_for_again(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    generation = generation_on(store)
    finished(generation.start(WHOLE))
    twin = StudyId("twin")
    store.add(
        Batch(
            studies=[Study(twin, "Twin")],
            prompts=[Prompt(PromptId("t"), twin, "T", "Style 1. {{q}}")],
            inputs=[
                Input(InputId("t0"), twin, {"q": "What is number 0?"}),
                Input(InputId("t1"), twin, {"q": "New?"}),
            ],
        )
    )
    order = Order(twin, "fake")
    assert generation.preview(order).sentence.endswith("1 more known already")
    progress = finished(generation.start(order)).progress()
    assert (progress.done, progress.reused, progress.spent.calls) == (2, 1, 1)
    assert server.answered == 21
    copy, source = (
        store.outputs(twin, input=InputId("t0"))[0],
        store.outputs(STUDY, PromptId("p1"), InputId("i0"))[0],
    )
    assert copy.text == source.text
    assert copy.settings["reused"] == source.id
    assert generation.spent(twin)[PromptId("t")].calls == 1


def test_cancel_makes_no_further_call_and_keeps_what_was_paid(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.latency_s = 0.05
    job = generation_on(store, concurrency=2).start(WHOLE)
    until(lambda: server.answered >= 3)
    job.cancel()
    made = server.calls
    finished(job)
    assert job.progress().state is State.CANCELLED
    assert server.calls <= made + 2
    assert len(store.outputs(STUDY)) == server.answered == job.progress().done


@pytest.mark.parametrize(
    "budget", [Budget(calls=7), Budget(tokens=200), Budget(money=0.0003)], ids=["calls", "tokens", "money"]
)
def test_a_budget_is_never_overshot(
    server: FakeServer, store: MemoryStore, generation_on: OnStore, budget: Budget
) -> None:
    server.latency_s = 0.005
    progress = finished(generation_on(store).start(Order(STUDY, "fake", budget=budget))).progress()
    assert progress.state is State.SPENT
    assert budget.holds(progress.spent)
    assert 0 < progress.done == progress.spent.calls == server.answered < 20
    assert "Raise it" in progress.last_error
    assert progress.total == 20


def test_a_budget_that_cannot_be_kept_is_refused_before_any_call(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    generation = generation_on(store, input_price=None)
    with pytest.raises(BadInput, match="needs prices"):
        generation.start(Order(STUDY, "fake", budget=Budget(money=1)))
    with pytest.raises(NotFound, match="Known: 'fake'"):
        generation.start(Order(STUDY, "other"))
    assert server.calls == 0


# -- faults -----------------------------------------------------------------------------------
def test_passing_faults_lose_no_output(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.faults.extend([Fault.RATE_LIMITED_SOON, Fault.BUSY, Fault.CUT, Fault.MALFORMED, Fault.DROP] * 2)
    progress = finished(generation_on(store).start(WHOLE)).progress()
    assert (progress.done, progress.failed) == (20, 0)
    assert len(store.outputs(STUDY)) == 20


@pytest.mark.parametrize("fault", [Fault.KEY_REFUSED, Fault.QUOTA, Fault.NO_MODEL, Fault.HTML])
def test_a_fault_of_the_connection_stops_the_job_at_once(
    server: FakeServer, store: MemoryStore, generation_on: OnStore, fault: Fault
) -> None:
    generation = generation_on(store, model=f"fault-{fault}", concurrency=2)
    progress = finished(generation.start(WHOLE)).progress()
    assert progress.state is State.STOPPED
    assert progress.last_error
    assert server.calls <= 4
    assert progress.total == 20  # nothing is given up: it is still to do


def test_a_dead_server_ends_the_job_after_a_few_cells(store: MemoryStore, generation_on: OnStore) -> None:
    with FakeServer() as gone:
        address = gone.url
    progress = finished(generation_on(store, server=address, concurrency=2).start(WHOLE)).progress()
    assert progress.state is State.STOPPED
    assert 8 <= progress.failed < 20
    assert "is the server running" in progress.last_error


def test_what_may_not_be_shown_is_stored_held_back_and_may_be_released(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.faults.extend([Fault.EMPTY, Fault.FILTERED, Fault.LENGTH])
    generation = generation_on(store, concurrency=1)
    progress = finished(generation.start(Order(STUDY, "fake", inputs=(InputId("i0"),)))).progress()
    assert (progress.done, progress.held, progress.spent.calls) == (4, 3, 4)
    held = [output for output in store.outputs(STUDY) if not output.usable]
    assert len(held) == 3
    finished(generation.start(Order(STUDY, "fake", inputs=(InputId("i0"),))))
    assert server.calls == 4  # not asked again unless told to
    truncated = next(output for output in held if output.finish_reason == "length")
    released = generation.release(truncated.id)
    assert released.usable
    assert (released.text, released.sample) == (truncated.text, 1)
    with pytest.raises(Conflict, match="already"):
        generation.release(truncated.id)
    for refused in (released, next(output for output in held if not output.text.strip())):
        with pytest.raises(Conflict, match="held back"):
            generation.release(refused.id)
    finished(generation.start(Order(STUDY, "fake", inputs=(InputId("i0"),), retry=True)))
    usable = {output.prompt for output in store.outputs(STUDY) if output.usable}
    assert len(usable) == 4


def test_an_answer_that_quotes_its_prompt_is_held_back(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    secret = "Answer like a harbour pilot who has seen every storm and fears none."
    store.add(Batch(prompts=[Prompt(PromptId("px"), STUDY, "X", secret + " {{question}}")]))
    server.reply = lambda body: f"Sure! {body['messages'][-1]['content']}"
    finished(generation_on(store).start(Order(STUDY, "fake", prompts=(PromptId("px"), PromptId("p0")))))
    assert {output.usable for output in store.outputs(STUDY, PromptId("px"))} == {False}
    assert {output.usable for output in store.outputs(STUDY, PromptId("p0"))} == {True}


# -- ahead of need and at once ----------------------------------------------------------------
def test_what_is_ensured_later_comes_first(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.latency_s = 0.02
    generation = generation_on(store, concurrency=1)
    first = generation.ensure(STUDY, "fake", cells("p0i0", "p1i0", "p2i0", "p3i0", "p0i1"), Budget())
    until(lambda: server.answered >= 1)
    second = generation.ensure(STUDY, "fake", cells("p3i4", "p2i4"), Budget())
    assert second is first
    finished(second)
    order = [f"{output.prompt}{output.input}" for output in store.outputs(STUDY)]
    assert order[-2:] == ["p3i4", "p2i4"]
    assert "p0i1" not in order


def test_the_budget_ahead_of_need_counts_all_that_the_study_spent(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    generation = generation_on(store)
    finished(generation.start(Order(STUDY, "fake", inputs=(InputId("i0"), InputId("i1")))))  # 8 calls
    job = finished(generation.ensure(STUDY, "fake", cells("p0i2", "p1i2", "p2i2", "p3i2"), Budget(calls=10)))
    assert job.progress().state is State.SPENT
    assert server.answered == 10
    again = generation_on(store)  # as after a restart
    finished(again.ensure(STUDY, "fake", cells("p0i3"), Budget(calls=10)))
    assert server.answered == 10


def test_prompts_that_are_added_meanwhile_are_generated_for(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    generation = generation_on(store)
    finished(generation.ensure(STUDY, "fake", cells("p0i0"), Budget()))
    store.add(Batch(prompts=[Prompt(PromptId("p9"), STUDY, "New", "New. {{question}}")]))
    job = finished(generation.ensure(STUDY, "fake", cells("p9i0"), Budget()))
    assert job.progress().failed == 0
    assert [output.prompt for output in store.outputs(STUDY)] == ["p0", "p9"]


def test_an_edited_connection_ends_what_waited_on_the_old_one(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    edited = threading.Event()
    server.reply = lambda _: "An answer." if edited.wait(20) else ""
    generation = generation_on(store, concurrency=1)
    before = generation.ensure(STUDY, "fake", cells("p0i0", "p1i0", "p2i0", "p3i0"), Budget())
    store.put_connection(replace(store.connections()[0], model="fake-large"))
    after = generation.ensure(STUDY, "fake", cells("p0i1"), Budget())
    edited.set()
    assert after is not before
    finished(before)
    finished(after)
    assert before.progress().state is State.CANCELLED
    asked = Counter(request["model"] for request in server.requests)
    assert asked["fake-large"] == 1
    assert asked["fake-model"] <= 1  # the one that was under way


def test_a_connection_that_just_failed_is_left_alone(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.key = "another"
    generation = generation_on(store, concurrency=1)
    finished(generation.ensure(STUDY, "fake", cells("p0i0"), Budget()))
    made = server.calls
    for _ in range(5):
        finished(generation.ensure(STUDY, "fake", cells("p0i0", "p1i0"), Budget()))
    assert server.calls == made


def test_one_output_streams_to_any_number_of_readers_and_is_paid_for_once(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.piece_s = 0.01
    generation = generation_on(store)
    [cell] = cells("p0i0")
    drafts = [generation.write(STUDY, "fake", cell) for _ in range(3)]
    assert drafts[0] is drafts[1] is drafts[2] is generation.draft(cell)
    pieces = list(drafts[0])
    assert len(pieces) > 3
    assert drafts[1].wait(5)
    output = drafts[1].output
    assert output is not None
    assert "".join(pieces) == drafts[2].text == output.text == store.outputs(STUDY)[0].text
    until(lambda: generation.draft(cell) is None)
    later = generation.write(STUDY, "fake", cell)
    assert later.wait(5)
    assert later.output == output
    assert server.calls == 1


def test_a_stream_that_breaks_off_is_not_stored_and_may_be_tried_again(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.faults.append(Fault.CUT)
    generation = generation_on(store)
    [cell] = cells("p0i0")
    draft = generation.write(STUDY, "fake", cell)
    assert draft.wait(5)
    assert draft.text
    assert draft.output is None
    assert "broke off" in str(draft.error)
    assert store.outputs(STUDY) == []
    again = generation.write(STUDY, "fake", cell)
    assert again.wait(5)
    assert again.output is not None


def test_a_held_back_output_gets_a_further_sample_on_retry(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.faults.append(Fault.LENGTH)
    generation = generation_on(store)
    [cell] = cells("p0i0")
    outputs: list[Output | None] = []
    for retry in (False, False, True):
        draft = generation.write(STUDY, "fake", cell, retry=retry)
        assert draft.wait(5)
        outputs.append(draft.output)
        until(lambda: generation.draft(cell) is None)
    assert [(output.sample, output.usable) for output in outputs if output] == [
        (0, False),
        (0, False),
        (1, True),
    ]
    assert server.calls == 2


def test_a_job_does_not_pay_for_what_is_just_being_streamed(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.piece_s = 0.02
    generation = generation_on(store)
    [cell] = cells("p0i0")
    generation.write(STUDY, "fake", cell)
    job = finished(generation.start(Order(STUDY, "fake", cells=(cell,))))
    assert job.progress().reused == 1
    assert server.calls == 1


# -- life and death ---------------------------------------------------------------------------
def test_closing_waits_for_calls_in_flight_and_stores_nothing_later(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    gate = threading.Event()
    server.reply = lambda body: wordy(body) if gate.wait(20) else ""
    generation = generation_on(store, concurrency=3)
    job = generation.start(WHOLE)
    until(lambda: len(server.requests) == 3)
    closing = threading.Thread(target=generation.close)
    closing.start()
    until(lambda: job.progress().state is State.CANCELLED)  # the first thing that closing does
    gate.set()
    closing.join()
    assert len(store.outputs(STUDY)) == server.answered == 3
    with pytest.raises(CallCancelled):
        generation.start(WHOLE)
    gate.clear()
    impatient = generation_on(store, concurrency=3)
    late = impatient.start(WHOLE)
    until(lambda: len(server.requests) == 6)
    impatient.close(patience_s=0.0)
    gate.set()
    finished(late)
    assert server.answered == 6
    assert len(store.outputs(STUDY)) == 3


def test_a_bug_in_a_thread_ends_the_job_visibly(
    store: MemoryStore, generation_on: OnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optimizer.generation import writer

    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))
    monkeypatch.setattr(writer, "admit", lambda *_: 1 / 0)
    generation = generation_on(store)
    job = finished(generation.start(WHOLE))
    assert job.progress().state is State.STOPPED
    assert "its log says which" in job.progress().last_error
    assert job.progress().in_flight == 0
    assert set(told) == {ZeroDivisionError}


def test_snapshots_are_consistent_while_threads_work(
    server: FakeServer, store: MemoryStore, generation_on: OnStore
) -> None:
    server.latency_s = 0.002
    job = generation_on(store).start(Order(STUDY, "fake", samples=5))
    seen = 0
    while not job.wait(0):
        progress = job.progress()
        assert progress.total == 100
        assert seen <= progress.done <= 100
        assert progress.in_flight <= 8 + MOST_UNSTORED
        seen = progress.done
    assert job.progress().done == 100
    assert job.progress().per_second > 0


def test_the_key_is_on_the_wire_and_nowhere_else(
    server: FakeServer,
    file_store: SqliteStore,
    generation_on: OnStore,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = "sk-marker-52c1"
    caplog.set_level(logging.DEBUG)
    server.key = key
    server.reply = lambda body: f"I saw {key} in your header."
    typed = {origin(server.url): key}
    generation = generation_on(file_store, KeyRing())
    server.faults.extend([Fault.KEY_REFUSED])
    inputs = tuple(InputId(f"i{n}") for n in range(2))
    stopped = finished(generation.start(Order(STUDY, "fake", inputs=inputs), typed))
    job = finished(generation.start(Order(STUDY, "fake", inputs=inputs), typed))
    assert job.progress().state is State.DONE
    assert any(key in headers.get("authorization", "") for headers in server.headers)
    assert {output.text for output in file_store.outputs(STUDY)} == {"I saw [key] in your header."}
    assert key not in caplog.text
    assert key not in f"{stopped.progress()} {job.progress()} {job.order} {file_store.connections()}"
    generation.close()
    file_store.close()
    for path in tmp_path.rglob("*"):
        assert key.encode() not in path.read_bytes(), path.name
