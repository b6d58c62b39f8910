"""What a model wrote may be anything: nothing of it runs, nothing is fetched, and the layout holds."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Server
from tests.browser.steps import FIRST, SECOND, add_study, open_duel, settled

HOSTILE = {
    "script": "Before <script>window.hacked = 1</script> after",
    "image": '<img src=x onerror="window.hacked = 1"> and ![beacon](https://example.com/beacon.png)',
    "link": "[click me](javascript:window.hacked=1) and <a href='javascript:window.hacked=1'>me too</a>",
    "frame": "<iframe srcdoc='<script>parent.hacked = 1</script>'></iframe><style>body{display:none}</style>",
    "table": "\n".join(
        ["|" + "|".join(f"column {i}" for i in range(60)) + "|", "|" + "---|" * 60]
        + ["|" + "wide cell |" * 60] * 200
    ),
    "long": "word " * 200_000,
    "unbroken": "x" * 20_000,
    "right to left": "שלום עולם, זה טקסט מימין לשמאל. مرحبا بالعالم",
    "broken": "```python\nunclosed **bold [link](http:// | a | b\n> > > # heading $x_{ $ \\( :red[oops",
    "nul": "before\x00after\x07\x1b[31m",
    "json": '{"a": [1, 2, {"b": "<b>bold</b>"}]}',
}


# Two to a duel; both are drawn in the way that suits both, so the long ones are among themselves.
PAIRS = (
    ("script", "image"),
    ("link", "frame"),
    ("table", "right to left"),
    ("broken", "nul"),
    ("long", "unbroken"),
    ("json", "json"),
)


def test_every_kind_is_shown() -> None:
    assert {kind for pair in PAIRS for kind in pair} == HOSTILE.keys()


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_nothing_runs_and_the_layout_holds(page: Page, server: Server, kinds: tuple[str, str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    study = add_study(
        server.store,
        f"hostile-{kinds[0]}",
        {"one": HOSTILE[kinds[0]], "other": HOSTILE[kinds[1]]},
    )
    open_duel(page, server.address, study.id)
    for _ in ("markdown", "raw"):
        page.wait_for_timeout(300)
        assert page.evaluate("window.hacked") is None
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        left, right = page.locator(FIRST).bounding_box(), page.locator(SECOND).bounding_box()
        assert left is not None
        assert right is not None
        assert abs(left["width"] - right["width"]) < 2
        assert abs(left["height"] - right["height"]) < 2
        assert left["x"] + left["width"] <= right["x"]
        bar = page.locator(".st-key-answers").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] <= 768
        page.keyboard.press("m")
        settled(page)
    assert not alerts
    assert all(
        url.startswith((server.address, server.address.replace("http", "ws"), "data:", "blob:"))
        for url in asked
    )


def test_what_the_model_wrote_is_what_is_read(page: Page, server: Server) -> None:
    text = "It costs $5 -- not $6 -> ok? 3 <= 4 :smile: a ~= b"
    study = add_study(server.store, "faithful", {"one": text, "two": text})
    open_duel(page, server.address, study.id)
    joiner = "\u2060"  # no width, nothing to see
    assert text in page.locator(FIRST).inner_text().replace(joiner, "")
