"""Outputs from a live model, from an empty study to the first votes; what becomes of keys and of stops."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from optimizer.domain import Batch, Connection, Input, InputId, Prompt, PromptId, Study, StudyId
from optimizer.exchange import Exchange
from optimizer.formats import EXPORTERS
from optimizer.results import Results
from optimizer.storage.base import Store
from tests.browser.conftest import Server, start
from tests.browser.steps import DUEL, FIRST, QUIET, SECOND, expect_text, press, settled
from tests.fakes.openai_server import FakeServer

KEY = "sk-marker-that-must-not-be-found-anywhere"


@pytest.fixture
def model() -> Iterator[FakeServer]:
    """A model server that wants the key and takes its time."""
    with FakeServer(key=KEY, latency_s=0.1) as running:
        running.piece_s = 0.05
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    running = start(tmp_path)
    yield running
    with contextlib.suppress(ProcessLookupError):
        running.stop()


def go(page: Page, screen: str) -> None:
    page.get_by_role("link", name=screen, exact=True).first.click()
    expect(page.get_by_role("heading", name=screen)).to_be_visible()
    settled(page)


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settled(page)


def fill(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True).first
    field.fill(text)
    field.press("Tab")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).first.click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def test_from_an_empty_study_to_the_first_votes_on_live_outputs(
    page: Page, own_server: Server, model: FakeServer
) -> None:
    page.goto(f"{own_server.address}/studies")
    settled(page)
    click(page, "New study")
    fill(page, "Name", "Live")
    click(page, "Create")

    go(page, "Prompts")
    click(page, "Write a prompt")
    for number, name in enumerate(("Terse", "Warm", "Formal")):
        if number:
            click(page, "New prompt")
        fill(page, "Name", name)
        fill(page, "Template", f"{name}: answer {{{{question}}}}")
        click(page, "Save")
    go(page, "Inputs")
    page.get_by_role("tab", name="Upload").click()
    settled(page)
    table = b"question\nWhy is the sky blue?\nWhat is rain?\nWho made the moon?\n"
    page.locator('input[type="file"]').set_input_files(
        {"name": "inputs.csv", "mimeType": "text/csv", "buffer": table}
    )
    page.get_by_role("button", name="Import", exact=True).click()
    expect_text(page, "Imported.")

    go(page, "Models")
    click(page, "New connection")
    fill(page, "Name", "Mine")
    fill(page, "Server", model.url)
    page.get_by_label("Key", exact=True).first.fill(KEY)
    page.keyboard.press("Enter")
    expect_text(page, "key: typed in this session")
    expect(page.get_by_label("Key", exact=True).first).to_have_value("")
    click(page, "List the models")
    choose(page, "The server offers 3 models", "fake-model")
    page.get_by_role("button", name="Test the connection").first.click()
    expect_text(page, "answered in")
    click(page, "Save")
    assert KEY not in page.content()

    go(page, "Outputs")
    page.get_by_role("tab", name="Generate").click()
    expect_text(page, "Generate 9 outputs, about")
    called = model.answered
    settled(page)
    choose(page, "Generate what the next duels need with", "Mine")
    page.locator("[class*=st-key-ahead_] button", has_text="Save").click()
    expect_text(page, "generates while people vote")
    assert model.answered == called  # looking and choosing cost nothing

    page.get_by_role("link", name="Vote", exact=True).click()
    expect_text(page, "You can vote when both are complete")
    expect(page.get_by_role("button", name="A is better")).to_be_disabled()
    page.wait_for_selector(DUEL)
    settled(page)
    for pane in (FIRST, SECOND):
        assert "Answer" in page.locator(pane).inner_text()
    for key in "ab":
        press(page, key)
    store = own_server.store
    study = next(study for study in store.studies() if study.name == "Live")
    assert store.counters(study.id).votes == 2
    assert max(model.answers.values()) == 1  # nothing was paid for twice

    assert KEY not in page.content()
    assert KEY not in page.url
    exchange = Exchange(store, Results(store), 1)
    found = [name for name in EXPORTERS if KEY.encode() in exchange.export(study.id, name).whole()]
    found += [path.name for path in own_server.folder.rglob("*") if KEY.encode() in path.read_bytes()]
    assert not found
    page.reload()  # another session: the key is gone with the one that typed it
    settled(page)
    assert KEY not in page.content()


def test_a_stop_in_mid_generation_leaves_whole_outputs_and_a_restart_goes_on(
    page: Page, own_server: Server, model: FakeServer
) -> None:
    model.key, model.latency_s = None, 0.3
    store = own_server.store
    study = big_study(store, model.url)
    page.goto(f"{own_server.address}/outputs?study={study.id}&outputs_tab=Generate")
    page.get_by_role("button", name="Generate 24 outputs").click()
    expect_text(page, "of 24 outputs by Mine")
    deadline = time.monotonic() + 10
    while model.answered < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    own_server.stop()
    log = (own_server.folder / "server.log").read_text()
    assert "Traceback" not in log
    made = store.outputs(study.id)
    assert 5 <= len(made) < 24
    assert all(output.usable and output.finish_reason == "stop" for output in made)
    assert len(made) == model.answered  # what was paid for is there

    again = start(own_server.folder)
    try:
        page.goto(f"{again.address}/outputs?study={study.id}&outputs_tab=Generate")
        page.get_by_role("button", name=f"Generate {24 - len(made)} outputs").click()
        expect(page.get_by_text("Every output is there.")).to_be_visible(timeout=20_000)
        expect_text(page, "What it took")
    finally:
        again.stop()
    assert len(store.output_index(study.id)) == 24
    assert max(model.answers.values()) == 1


def big_study(store: Store, server: str) -> Study:
    """Four prompts, six inputs, no outputs, and a connection."""
    study = Study(StudyId("big"), "Big", settings=QUIET)
    prompts = [Prompt(PromptId(f"p{n}"), study.id, f"Prompt {n}", f"Style {n}: {{{{x}}}}") for n in range(4)]
    rows = [Input(InputId(f"x{n}"), study.id, {"x": f"Question {n}"}) for n in range(6)]
    store.add(Batch(studies=[study], prompts=prompts, inputs=rows))
    store.put_connection(Connection("Mine", server, "fake-model", concurrency=4))
    return study
