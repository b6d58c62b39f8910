"""What a person may call things: names, texts, variables and tags, with the same words everywhere.

Screens and files both bring text from outside; both pass through here before it becomes a noun.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from optimizer.domain import Input, Output, Prompt
from optimizer.errors import BadInput
from optimizer.templates import is_variable_name, unknown_variable, variables_of

MAX_NAME = 200
MAX_TEXT = 2_000_000  # characters of one text
MAX_TAG = 60
SCORE = "score"  # of an output, by a metric computed elsewhere: kept in its settings; no vote depends on it
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAG_SEPARATORS = re.compile(r"[;,\n]")

# A variable of one of these names is a person's own key for an input, by which files may refer to it.
KEY_NAMES = ("input_id", "id", "key")


def clean_name(kind: str, raw: str) -> str:
    """A name without blanks at the ends; ``kind`` is the word for what is named, e.g. "prompt"."""
    name = raw.strip()
    if not name:
        raise BadInput(f"A {kind} needs a name.")
    if len(name) > MAX_NAME:
        raise BadInput(
            f"'{name[:40]}...' is too long for the name of a {kind}: {len(name)} characters, "
            f"at most {MAX_NAME} are allowed."
        )
    if _CONTROL.search(name):
        raise BadInput(f"The name {name!r} of a {kind} holds a line break or a control character.")
    return check_text(f"name of a {kind}", name)


def check_text(kind: str, text: str) -> str:
    """The text itself; ``BadInput`` when it cannot be stored and shown."""
    fault = fault_of_text(text)
    if fault:
        raise BadInput(f"The {kind} {fault}.")
    return text


def fault_of_text(text: str) -> str:
    """Why a text cannot be stored and shown, as the end of a sentence; "" when it can."""
    if len(text) > MAX_TEXT:
        return f"has {len(text):,} characters; at most {MAX_TEXT:,} are allowed"
    if "\0" in text:
        return f"holds a NUL character (position {text.index(chr(0)) + 1:,})"
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        return f"holds half a character (position {fault.start + 1:,}), which is not Unicode text"
    return ""


def check_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """A row of variables; needs at least one that is not blank."""
    for name, value in variables.items():
        if not is_variable_name(name):
            raise BadInput(
                f"{name!r} cannot be the name of a variable: it must not be empty or hold braces, "
                "double quotes, colons or line breaks."
            )
        check_text(f"variable '{name}'", value)
    if not any(value.strip() for value in variables.values()):
        raise BadInput("An input needs at least one variable that is not empty.")
    return dict(variables)


def clean_tags(raw: str | Iterable[str]) -> tuple[str, ...]:
    """Tags without blanks and repetitions, in order; one text is split at commas and semicolons."""
    if not raw:
        return ()
    parts = _TAG_SEPARATORS.split(raw) if isinstance(raw, str) else list(raw)
    tags = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for tag in tags:
        if len(tag) > MAX_TAG:
            raise BadInput(f"The tag '{tag[:40]}...' is too long: at most {MAX_TAG} characters are allowed.")
        if _TAG_SEPARATORS.search(tag) or _CONTROL.search(tag):
            raise BadInput(f"The tag {tag!r} holds a comma, a semicolon or a control character.")
        check_text("tag", tag)
    return tags


def unfilled(prompts: Sequence[Prompt], variables: Mapping[str, str]) -> str:
    """What a row of variables lacks for the prompts that are in use, as a sentence; "" when nothing."""
    for prompt in prompts:
        for name in variables_of(prompt.text):
            if prompt.retired_at is None and name not in variables:
                return f"has no '{name}', which the prompt '{prompt.name}' uses"
    return ""


def check_template(text: str, inputs: Sequence[Input]) -> None:
    """``BadInput`` when a template uses a variable that some input in use does not have."""
    rows = [row.variables for row in inputs if row.retired_at is None]
    if not rows:
        return
    known = list(dict.fromkeys(name for row in rows for name in row))
    for name in variables_of(text):
        lacking = sum(name not in row for row in rows)
        if lacking == len(rows):
            raise BadInput(unknown_variable(name, known))
        if lacking:
            raise BadInput(
                f"The template uses {{{{{name}}}}}, which {lacking:,} of {len(rows):,} inputs do not have. "
                "Add it to those inputs, or retire them."
            )


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name itself if nobody has it, else with the first free number: "Terse", "Terse 2", "Terse 3"."""
    used = {other.casefold() for other in taken}
    if name.casefold() not in used:
        return name
    stem = re.sub(r" \d{1,6}$", "", name)[: MAX_NAME - 8]
    number = 2
    while f"{stem} {number}".casefold() in used:
        number += 1
    return f"{stem} {number}"


def read_score(text: str) -> float | None:
    """The number in a cell, None for an empty one. ``BadInput`` for anything else."""
    if not text.strip():
        return None
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise BadInput(f"holds '{text.strip()[:40]}', not a number")
    return score


def score_of(output: Output) -> float | None:
    """The score that came with an output, if one did."""
    score = output.settings.get(SCORE)
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None
