"""The report's files: nothing that people or models wrote takes effect in them, and nothing is fetched."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from optimizer.__main__ import cli
from optimizer.reports import Report, write
from optimizer.reports.markdown import escaped, fenced
from optimizer.storage import open_store
from tests.optimizer.reports.report_world import FIRST, SECOND, World

SCRIPT = "<script>document.title = 'taken'</script>"
IMAGE = '<img src="https://evil.example/x.png" onerror="document.title = \'taken\'">'
LINK = "[click](javascript:document.title='taken') <a href=\"javascript:document.title='taken'\">here</a>"
BREAKOUT = "</script></style></pre></textarea><svg onload=document.title='taken'>"
HOSTILE = f"{SCRIPT} {IMAGE} {LINK} {BREAKOUT} ```\n# Owned\n| a | b |\n\x00\x1b[31m \u202e"


def hostile_report() -> Report:
    """Hostile in every place that people and models can write to."""
    names = (f"A {SCRIPT}"[:120], f"B {IMAGE}"[:120], f"C {LINK}"[:120])
    world = World(prompts=names, texts=dict.fromkeys(names, HOSTILE), name=f"Study {BREAKOUT}")
    for first, second in ((0, 1), (1, 2), (0, 2)):
        world.vote(names[first], names[second], FIRST, 12, rater=f"Eve {IMAGE}"[:90], comment=HOSTILE)
        world.vote(names[first], names[second], SECOND, 2, rater="Bob", comment=HOSTILE)
    return world.report()


class Elements(HTMLParser):
    """What a browser would make of the file: its elements and their attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.scripts += tag == "script" and dict(attrs).get("type") is None


@pytest.fixture(scope="module")
def html() -> str:
    return "".join(write(hostile_report(), "html"))


def test_the_html_holds_our_elements_and_no_others(html: str) -> None:
    found = Elements()
    found.feed(html)
    assert found.scripts == 2  # Plotly once, and ours
    assert not {"img", "svg", "a", "iframe", "object", "embed", "link", "form", "input"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href")]


def test_what_is_hostile_is_shown_as_it_was_written(html: str) -> None:
    assert "&lt;script&gt;document.title" in html
    assert "&lt;img src=&quot;https://evil.example/x.png&quot;" in html
    assert "\x00" not in html


def test_the_html_allows_itself_nothing_from_elsewhere(html: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe-eval" not in policy[1]
    assert policy[1].count("sha256-") == 2
    assert "connect-src" not in policy[1]


def test_charts_are_data_that_cannot_end_their_block(html: str) -> None:
    blocks = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert len(blocks) == 4
    assert not any("<" in block for block in blocks)


def test_markdown_keeps_hostile_text_as_text() -> None:
    text = "".join(write(hostile_report(), "md"))
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "javascript" in outside  # in names and comments, escaped
    assert not re.search(r"(?<!\\)[<\[`]", outside)
    assert not re.search(r"^# Owned", outside, re.MULTILINE)
    assert "\x00" not in text


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    assert fenced("a ```` b").startswith("`````text\n")
    assert escaped("1. one\n- two") == "1\\. one - two" or escaped("1. one\n- two").startswith("\\1.")


def test_the_command_writes_both_kinds_and_tells_the_cautions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPT_DUEL_DATA_DIR", str(tmp_path))
    run = CliRunner().invoke
    name = "Replies to customers"
    done = run(cli, ["report", name, "-o", str(tmp_path / "r.html")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    done = run(cli, ["report", name, "-o", str(tmp_path / "r.md")])
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith(f"# {name}")
    assert "Nobody has voted yet" in done.stderr
    done = run(cli, ["report", name, "-o", str(tmp_path / "r.pdf")])
    assert done.exit_code == 1
    assert "must end in .html or .md" in done.stderr
    assert open_store(f"sqlite:///{tmp_path / 'prompt-duel.db'}").studies()
