"""The report as a file in a browser without a network, and the presentation by keys."""

from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, expect

from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Outcome,
    Rater,
    RaterId,
    Study,
    Vote,
    VoteId,
    utc_now,
)
from optimizer.storage.base import Store
from tests.browser.conftest import Server
from tests.browser.steps import add_study, settled

HOSTILE = (
    "<script>document.title = 'taken'</script><img src='https://evil.example/x.png' "
    "onerror=\"document.title = 'taken'\"> [click](javascript:alert(1)) </script><svg onload=alert(1)>"
)


def voted(store: Store, name: str) -> Study:
    """A study whose first prompt wins four duels in five; everything in it is hostile."""
    study = add_study(store, name, {"kind": f"Kind. {HOSTILE}", "rude": HOSTILE, "dull": f"Dull. {HOSTILE}"})
    prompts = store.prompts(study.id)
    rows = store.inputs(study.id)
    outputs = {(one.prompt, one.input): one.id for one in store.outputs(study.id)}
    rater = Rater(RaterId(f"{name}-ann"), study.id, f"Ann {HOSTILE}"[:200])
    duels, votes = [], []
    for n in range(45):
        first, second = ((0, 1), (0, 2), (1, 2))[n % 3]
        row, one, other = rows[n % len(rows)], prompts[first], prompts[second]
        at = utc_now() - timedelta(minutes=60 - n)
        duel = Duel(
            DuelId(f"{name}-{n}"), study.id, row.id, outputs[one.id, row.id], outputs[other.id, row.id],
            one.id, other.id, rater.id, "auto", "a test", False, at, at + timedelta(hours=1), closed_at=at,
        )  # fmt: skip
        outcome = Outcome.SECOND if n % 5 == 4 else Outcome.FIRST
        duels.append(duel)
        votes.append(
            Vote(VoteId(f"{name}-{n}"), study.id, duel.id, rater.id, outcome, at, comment=f"{n} {HOSTILE}")
        )
    store.add(Batch(raters=[rater], duels=duels, votes=votes))
    return study


def test_the_report_needs_no_network_and_runs_nothing_of_others(
    server: Server, page: Page, browser: Browser, tmp_path: Path
) -> None:
    study = voted(server.store, "reported")
    page.goto(f"{server.address}/report?study={study.id}")
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML, to send or print").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)

    asked: list[str] = []
    context = browser.new_context(offline=True)
    reader = context.new_page()

    def noted(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            asked.append(request.url)

    reader.on("request", noted)
    reader.goto(f"file://{file}")
    expect(reader.locator("[data-chart] .main-svg").first).to_be_visible()
    assert (
        reader.locator("[data-chart]").count() == reader.locator("[data-chart].js-plotly-plot").count() == 4
    )
    assert reader.title() == "reported: decision report"
    expect(reader.get_by_text("kind is the best prompt with a probability of")).to_be_visible()
    expect(reader.get_by_text("document.title = 'taken'").first).to_be_visible()  # as text
    hovered = reader.locator("[data-chart=p_best] .nsewdrag").first
    hovered.hover()
    expect(reader.locator("[data-chart=p_best] .hoverlayer text").first).to_be_visible()
    wide = reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide, "the page scrolls sideways"
    assert len(reader.pdf(prefer_css_page_size=True)) > 50_000
    assert asked == []
    assert reader.title() == "reported: decision report"
    context.close()


def test_the_presentation_goes_by_keys(server: Server, page: Page) -> None:
    study = voted(server.store, "presented")
    page.goto(f"{server.address}/present?study={study.id}")
    expect(page.get_by_text("Which prompt is best for this task?")).to_be_visible()
    settled(page)
    expect(page.get_by_role("button", name="Next")).to_be_visible()  # it is the button that hears the key
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Votes so far: 0")).to_be_visible()
    settled(page)
    page.keyboard.press("a")
    expect(page.get_by_text("Votes so far: 1")).to_be_visible()
    settled(page)
    for seen in ("vote by vote", "What you voted on", "Best with a probability of"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_text(seen)).to_be_visible()
        settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Report", exact=True)).to_be_visible()
