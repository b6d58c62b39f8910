"""Dials: a number in a prompt's text, and the property of outputs that it is meant to move.

What is measured is counted, not judged: words, lists and sentences as they stand. The reading level is the
Flesch-Kincaid grade (Kincaid et al. 1975) with syllables counted by vowel groups, so it means something for
English alone; the warmth of tone is a count of markers such as "you", "thanks" and exclamation marks.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optimizer.errors import BadInput

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)|\n\s*\n")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+\S", re.MULTILINE)
_VOWELS = re.compile(r"[aeiouy]+")
_WARM_WORDS = """
    dear delighted enjoy feel friend glad great happy hello hi hope love lovely our please sorry thank thanks
    us we welcome wonderful you your yours
"""
_WARM = frozenset(_WARM_WORDS.split())


def words(text: str) -> float:
    """The length in words."""
    return float(len(_WORD.findall(text)))


def bullets(text: str) -> float:
    """How many bullet points or numbered items there are."""
    return float(len(_BULLET.findall(text)))


def reading_level(text: str) -> float:
    """The Flesch-Kincaid grade: 0.39 words per sentence + 11.8 syllables per word - 15.59, at least 0."""
    found = _WORD.findall(text.lower())
    if not found:
        return 0.0
    sentences = max(1, len([part for part in _SENTENCE_END.split(text) if _WORD.search(part)]))
    syllables = sum(_syllables(word) for word in found)
    return max(0.0, 0.39 * len(found) / sentences + 11.8 * syllables / len(found) - 15.59)


def warmth(text: str) -> float:
    """0 (cool) to 10 (warm): markers of address and feeling per hundred words, halved and capped."""
    found = [word.lower() for word in _WORD.findall(text)]
    if not found:
        return 0.0
    markers = sum(word.split("'")[0].split("’")[0] in _WARM for word in found) + text.count("!")
    return min(10.0, 50.0 * markers / len(found))


def _syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


@dataclass(frozen=True, slots=True)
class DialKind:
    """A property that can be measured, and the line that sets it; {value} stands for the number."""

    label: str
    unit: str
    measure: Callable[[str], float]
    line: str
    low: float
    high: float
    step: float  # the values that the dial can take are multiples of it
    usual: float  # a set point to begin with
    band: float  # and how far from it is near enough


DIALS: dict[str, DialKind] = {
    "words": DialKind("Length", "words", words, "Write about {value} words.", 5, 5000, 1, 120, 10),
    "bullets": DialKind(
        "Bullet points", "bullet points", bullets, "Use exactly {value} bullet points.", 0, 50, 1, 5, 0.5
    ),
    "reading_level": DialKind(
        "Reading level", "school grade", reading_level,
        "Write so that a reader of school grade {value} follows with ease.", 1, 20, 0.5, 8, 1,
    ),
    "warmth": DialKind(
        "Warmth of tone", "of 10", warmth,
        "Tone: {value} on a scale from 0 (cool, matter-of-fact) to 10 (warm, personal).", 0, 10, 0.5, 3, 0.5,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dial:
    """A set point: bring this property of the outputs to ``target``, give or take ``band``, by steps of a
    "P", "PI" or "PID" controller."""

    kind: str
    target: float
    band: float
    controller: str = "PI"

    @property
    def about(self) -> DialKind:
        if self.kind not in DIALS:
            raise BadInput(f"There is no dial '{self.kind}'. Known are {', '.join(DIALS)}.")
        return DIALS[self.kind]


def setting_in(text: str, kind: DialKind) -> float | None:
    """The dial's value in a prompt's text; None where the prompt does not have the dial."""
    found = re.search(_pattern(kind), text)
    return float(found[1]) if found else None


def with_setting(text: str, kind: DialKind, value: float) -> str:
    """The prompt with the dial at this value; a prompt without the dial gets its line at the end."""
    line = kind.line.format(value=f"{value:g}")
    if setting_in(text, kind) is None:
        return f"{text.rstrip()}\n\n{line}"
    return re.sub(_pattern(kind), lambda _: line, text, count=1)


def measured(outputs: Sequence[str], kind: DialKind) -> tuple[float, float]:
    """The mean of the property over outputs and its standard error."""
    values = [kind.measure(text) for text in outputs]
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, float("inf")
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, float((variance / len(values)) ** 0.5)


def _pattern(kind: DialKind) -> str:
    before, after = kind.line.split("{value}")
    return re.escape(before) + r"(\d+(?:\.\d+)?)" + re.escape(after)
