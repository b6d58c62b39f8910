"""Outputs made elsewhere: from an empty study and a file to a winner and an export, by mouse and keyboard."""

import csv
import io
import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.steps import FIRST, SECOND, expect_text, press, settled

GOOD, BAD, FAIR = "A full and friendly answer.", "No.", "A short answer."
TEXTS = {"Friendly": GOOD, "Curt": BAD, "Short": FAIR}


def long_file() -> bytes:
    """prompt, one variable, tags, output: four inputs, three prompts."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["prompt", "question", "output"])
    for number in range(4):
        for prompt, text in TEXTS.items():
            writer.writerow([prompt, f"Question {number}, please?", f"{text} ({number})"])
    return rows.getvalue().encode()


def test_from_an_upload_to_an_export(page: Page, server: Server, tmp_path: Path) -> None:
    page.goto(f"{server.address}/studies")
    settled(page)
    page.get_by_role("button", name="New study").click()
    page.get_by_label("Name").fill("My own outputs")
    page.get_by_role("button", name="Create", exact=True).click()
    settled(page)

    page.get_by_role("link", name="Outputs").click()
    settled(page)
    page.get_by_role("tab", name="Upload").click()
    settled(page)
    page.locator('input[type="file"]').set_input_files(
        {"name": "outputs.csv", "mimeType": "text/csv", "buffer": long_file()}
    )
    expect_text(page, "as understood")
    settled(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect_text(page, "Imported.")

    page.get_by_role("link", name="Duel").click()
    page.wait_for_selector(SECOND)
    settled(page)
    order = [BAD, FAIR, GOOD]

    def liking(pane: str) -> int:
        """How much the rater likes what it reads in this pane."""
        text = page.locator(pane).inner_text()
        return next(rank for rank, liked in enumerate(order) if liked in text)

    for _ in range(14):
        press(page, "a" if liking(FIRST) > liking(SECOND) else "b")

    page.get_by_role("link", name="Standings").click()
    expect_text(page, "“Friendly”")
    page.get_by_role("link", name="Export").click()
    settled(page)
    exported: dict[str, bytes] = {}
    for label in ("Votes (CSV)", "Votes (JSONL)"):
        option = page.get_by_role("radio", name=label)
        if option.count():
            page.get_by_text(label, exact=True).first.click()
            settled(page)
        with page.expect_download() as download:
            page.locator("[class*=st-key-download_] button").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        exported[path.name] = path.read_bytes()
    assert any(len(data.splitlines()) >= 14 for data in exported.values())
    records = [
        json.loads(line)
        for name, data in exported.items()
        if name.endswith("jsonl")
        for line in data.splitlines()
    ]
    assert all(record["outcome"] in ("left", "right", "first", "second") for record in records)


def test_a_faulty_file_names_the_rows_and_imports_nothing(page: Page, server: Server) -> None:
    store = server.store
    before = {study.id: store.counters(study.id).content_version for study in store.studies()}
    page.goto(f"{server.address}/outputs?outputs_tab=Upload")
    settled(page)
    page.get_by_role("tab", name="Upload").click()
    settled(page)
    page.locator('input[type="file"]').set_input_files(
        {"name": "outputs.csv", "mimeType": "text/csv", "buffer": b"prompt,output\nTerse,\n,text\n"}
    )
    expect_text(page, "fault")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    assert {study.id: store.counters(study.id).content_version for study in store.studies()} == before
