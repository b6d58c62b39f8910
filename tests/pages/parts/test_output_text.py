"""What a model wrote is what is shown, and nothing in it does anything."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from optimizer.visible import visible
from pages.parts import diff
from pages.parts.output_text import CODE, JSON, MARKDOWN, RAW, fitting_mode, input_mode, safe_markdown


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("a -> b", "a -\u2060> b"),
        ("5 <= 6", "5 <\u2060= 6"),
        ("it costs $5, then $6", r"it costs \$5, then \$6"),
        (":smile: and :red[x]", ":\u2060smile: and \\:\u2060red[x]"),
        ("row[1:n[0]] and {a:b{c}}", "row[1\\:\u2060n[0]] and {a\\:\u2060b{c}}"),
        ("![logo](https://example.com/x.png)", "[image: logo]"),
        ("[home](https://example.com/a)", "[home](https://example.com/a)"),
        ("[go](javascript:alert(1))", "go (javascript:alert(1)"),
        ("[go](data:text/html,x)", "go (data:text/html,x)"),
        ("`a -> $b$`", "`a -> $b$`"),
        ("one\ntwo", "one  \ntwo"),
        ("| a | b |\n|:--|---:|\n| 1 | 2 |", "| a | b |\n|:--|---:|\n| 1 | 2 |"),
        ("> | a |\n> |---|\n", "> | a |\n> |---|\n"),
        ("a | b\n--- | ---\n1 | 2", "a | b\n--- | ---\n1 | 2"),
        ("above\n\n---\n\nbelow", "above\n\n---\n\nbelow"),
        ("a -- b", "a -\u2060- b"),
        ("-->", "-\u2060-\u2060>"),
        ("| a -> b | c:d |", "| a -\u2060> b | c:\u2060d |"),
    ],
)
def test_examples(written: str, drawn: str) -> None:
    assert safe_markdown(written).startswith(drawn)


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        ("def f(x):\n    return x", RAW),
        ("SELECT a,\n\tb\nFROM c", RAW),
        ("Dear shop,\nmy parcel is late.\n\nAnn", MARKDOWN),
        ("- one\n  - two", MARKDOWN),
        ('{"a":\n  1}', JSON),
    ],
)
def test_indented_lines_of_an_input_stay_lines(value: str, mode: str) -> None:
    assert input_mode(value) == mode


def test_code_blocks_are_left_alone() -> None:
    text = "Look:\n\n```python\nx = a -> b  # $5 ![i](u)\n```\n"
    assert "x = a -> b  # $5 ![i](u)" in safe_markdown(text)


@given(st.text())
def test_no_image_is_ever_left(text: str) -> None:
    assert "![" not in safe_markdown(f"{text} ![x](http://example.com/a.png)").split("`")[-1]


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_control_characters_are_shown(text: str) -> None:
    shown = visible(text)
    assert not any(ord(c) < 32 and c not in "\t\n\r" for c in shown)
    assert len(shown) == len(text)


def test_the_mode_fits_both_sides() -> None:
    assert fitting_mode(('{"a": 1}', "[1]")) == JSON
    assert fitting_mode(('{"a": 1}', "text")) == MARKDOWN
    assert fitting_mode(("x" * 50_000, "text")) == RAW
    assert CODE not in (fitting_mode(("", "")), fitting_mode(("{", "[")))


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_diff_holds_both_texts(old: str, new: str) -> None:
    found = diff.pieces(old, new)
    assert "".join(text for kind, text in found if kind != "added") == old
    assert "".join(text for kind, text in found if kind != "removed") == new


def test_a_diff_of_long_texts_is_quick_and_still_small() -> None:
    rng = random.Random(1)
    words = [rng.choice(("the", "a", "of", "to", f"word{n}")) for n in range(3000)]
    changed = [*words[:1500], "changed", *words[1501:]]
    started = time.process_time()
    found = diff.pieces(" ".join(words), " ".join(changed))
    assert time.process_time() - started < 1.0
    assert sum(len(text) for kind, text in found if kind == "added") < 100
    diff.pieces(" ".join(words), " ".join(sorted(words)))
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("unit", ["[a](", "[a](<", "![", "![](", "[", "`a\n", "```x\n"])
def test_no_text_takes_long_to_look_through(unit: str) -> None:
    started = time.process_time()
    safe_markdown((unit * 20_000)[:20_000])
    assert time.process_time() - started < 2.0


def test_half_a_character_in_json_is_shown_as_a_mark() -> None:
    def screen() -> None:
        from pages.parts import output_text

        output_text.draw(r'{"a": "\ud800"}', output_text.JSON)

    at = AppTest.from_function(screen).run()
    assert not at.exception
    assert at.code[0].value == '{\n  "a": "?"\n}'


@pytest.mark.parametrize("depth", [600, 900, 5_000, 100_000])
def test_json_of_any_depth_is_shown_somehow(depth: int) -> None:
    def screen(text: str) -> None:
        from pages.parts import output_text

        output_text.draw(text, output_text.fitting_mode((text, text)))

    at = AppTest.from_function(screen, args=("[" * depth + "]" * depth,)).run()
    assert not at.exception
