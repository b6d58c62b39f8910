"""Model output on the screen: untrusted text, drawn the same way on both sides.

Streamlit's Markdown never runs HTML or script, but it rewrites text (arrows, dashes, emoji names, $formulas$,
:colour[...] directives) and loads images from anywhere. ``safe_markdown`` undoes that, so that what is
judged is what the model wrote.
"""

import json
import re
from functools import lru_cache

import streamlit as st

from optimizer.visible import visible

MARKDOWN, RAW, JSON, CODE = "Markdown", "Raw", "JSON", "Code"
MODES = (MARKDOWN, RAW, JSON, CODE)

LONGEST_MARKDOWN = 40_000  # characters; above it a browser takes seconds to lay Markdown out
LONGEST_SHOWN = 200_000

_CODE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[^\S\n]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
# Repeats give nothing back (*+) and labels are bounded: else a text made for it takes minutes to read.
_IMAGE = re.compile(r"!\[([^\]]{0,1000}+)\](?:\([^)]*+\)|\[[^\]]{0,1000}+\])")
_LINK = re.compile(r"(?<!!)\[([^\]\n]{1,1000}+)\]\(\s*+<?+([^)\s>]*+)[^)]*+\)")
_SAFE_ADDRESS = re.compile(r"(?i)^(https?://|mailto:)")
_FORMULA = re.compile(r"\$")
_REWRITTEN = re.compile(r"(:(?=[\w/+-])|[<>~](?==)|<(?=-)|-(?=[->]))")
# ':name[...]' and ':name{...}' would lose what is in the brackets, whatever stands before the name.
_DIRECTIVE = re.compile(r"(?<!\\):(?=[\w/+-][^\s\[\]{}:]{0,100}+[\[{])")
_INDENTED = re.compile(r"^(?:  |\t)[ \t]{0,20}[^\s\-*+>|\d]", re.MULTILINE)
_JOINER = "\u2060"  # no width: it parts what Streamlit would make one sign of, after Markdown is done


@lru_cache(maxsize=64)  # a pair is drawn twice: when it lies ready, and when its turn comes
def safe_markdown(text: str) -> str:
    """The text for ``st.markdown``: images become their description, links lead only to the web,
    and what Streamlit would rewrite is escaped. Code is left alone."""
    parts = _CODE.split(visible(text))
    return "".join(part if turn % 2 else _prose(part) for turn, part in enumerate(parts))


def _prose(text: str) -> str:
    text = _IMAGE.sub(lambda found: f"[image: {found.group(1) or 'no description'}]", text)
    links: list[str] = []

    def keep(found: re.Match[str]) -> str:
        label, address = found.groups()
        links.append(f"[{label}]({address})" if _SAFE_ADDRESS.match(address) else f"{label} ({address})")
        return f"\x00{len(links) - 1}\x00"

    text = _LINK.sub(keep, text)
    text = _FORMULA.sub(r"\\$", text)
    text = _DIRECTIVE.sub(r"\\:", text)
    text = "\n".join(
        line if _is_rule(line) else _REWRITTEN.sub(rf"\1{_JOINER}", line) for line in text.split("\n")
    )
    # A single line break is a line break: two trailing spaces keep it in Markdown.
    text = re.sub(r"(?<=\S)\n(?=[^\n\s#>*\-+|\d`])", "  \n", text)
    return re.sub("\x00(\\d+)\x00", lambda found: links[int(found.group(1))], text)


def _is_rule(line: str) -> bool:
    """Is it '---' or '|:--|--:|'? Markdown draws those itself; with a sign more in it, a table is none."""
    drawn = line.lstrip(" \t>")
    return "-" in drawn and ("|" in drawn or "--" in drawn) and not drawn.strip(" \t|:-")


def input_mode(value: str) -> str:
    """The way to draw a variable of an input: as it is where lines are indented, as in code, for Markdown
    would make one paragraph of them."""
    fitting = fitting_mode((value, value))
    return RAW if fitting == MARKDOWN and _INDENTED.search(value) else fitting


def fitting_mode(texts: tuple[str, str]) -> str:
    """The way to draw two outputs that suits both: JSON when both are, else Markdown, raw when long."""
    if all(_parsed(text) is not None for text in texts):
        return JSON
    return RAW if max(map(len, texts)) > LONGEST_MARKDOWN else MARKDOWN


def chosen_mode(texts: tuple[str, str]) -> str:
    """The same, unless raw text is wanted in this session."""
    fitting = fitting_mode(texts)
    if not st.session_state.get("show_raw"):
        return fitting
    return CODE if fitting == RAW else RAW


def draw(text: str, mode: str) -> None:
    """One output, in the given mode."""
    if not text.strip():
        st.caption("(an empty output)")
        return
    shown = text[:LONGEST_SHOWN]
    if mode == MARKDOWN and len(text) <= LONGEST_MARKDOWN:
        st.markdown(safe_markdown(shown))
    elif mode == JSON and (spread := _spread(text)):
        st.code(visible(spread[:LONGEST_SHOWN]), language="json", wrap_lines=True)
    elif mode == CODE:
        st.code(visible(shown), language=None, line_numbers=True)
    else:
        st.code(visible(shown), language=None, wrap_lines=True)
    if len(text) > LONGEST_SHOWN:
        st.caption(f"The first {LONGEST_SHOWN:,} of {len(text):,} characters.")


def _parsed(text: str) -> object | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


def _spread(text: str) -> str:
    """JSON with one value to a line; "" for what is none, or nested too deeply to be written again."""
    parsed = _parsed(text)
    try:
        return "" if parsed is None else json.dumps(parsed, indent=2, ensure_ascii=False)
    except RecursionError:
        return ""
