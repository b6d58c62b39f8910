"""What differs between two texts, word by word, coloured and marked: not by colour alone."""

import difflib
import re
from collections import Counter

import streamlit as st

from optimizer.visible import visible
from pages.parts.labels import plain

LONGEST = 20_000  # characters
MOST_MATCHES = 500_000  # pairs of equal words; difflib looks at each, many times over


def pieces(old: str, new: str) -> list[tuple[str, str]]:
    """(kind, text) with kind one of same, removed, added.

    In long texts no difference begins or ends at a word that is everywhere: coarser, and in a fraction of
    the seconds.
    """
    a, b = re.findall(r"\s+|\w+|[^\w\s]", old), re.findall(r"\s+|\w+|[^\w\s]", new)
    in_b = Counter(b)
    long = sum(times * in_b[word] for word, times in Counter(a).items()) > MOST_MATCHES
    found: list[tuple[str, str]] = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=long).get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(a[i1:i2])))
            continue
        if i2 > i1:
            found.append(("removed", "".join(a[i1:i2])))
        if j2 > j1:
            found.append(("added", "".join(b[j1:j2])))
    return found


def draw(old: str, new: str, old_name: str, new_name: str) -> None:
    """The second text with its differences from the first."""
    if max(len(old), len(new)) > LONGEST:
        st.caption(f"These texts are too long to compare (more than {LONGEST:,} characters).")
        return
    st.caption(f"~~struck~~: only in {plain(old_name)}. **Bold**: only in {plain(new_name)}.")
    st.markdown("".join(_marked(kind, text) for kind, text in pieces(old, new)))


def _marked(kind: str, text: str) -> str:
    lines = visible(text).split("\n")
    return "  \n".join(_marked_line(kind, line) for line in lines)


def _marked_line(kind: str, line: str) -> str:
    body = line.strip()
    if not body:
        return line
    before, after = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    escaped = re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:=])", r"\\\1", body)
    styled = {"same": escaped, "removed": f":red[~~{escaped}~~]", "added": f":green[**{escaped}**]"}[kind]
    return f"{before}{styled}{after}"
