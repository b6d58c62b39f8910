"""Prompt templates: ``{{name}}`` stands for a variable, everything else is text.

There is no other syntax: no attributes, filters, conditions or escapes, so a template can reach
nothing but the variables it is given. Braces of JSON or code stay as they are: a name holds no
brace, quote or colon. Values are put in once; a value that reads ``{{other}}`` is not filled in again.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from optimizer.errors import BadInput

MAX_NAME = 100
_PLACEHOLDER = re.compile(r"\{\{([^{}\":]{1,200})\}\}")
_BAD_IN_NAME = re.compile(r"[{}\":\x00-\x1f]")


@lru_cache(maxsize=1024)  # a few prompts meet a great many rows
def variables_of(text: str) -> tuple[str, ...]:
    """The names that a template uses, each once, in order of appearance."""
    names = (_name(match) for match in _PLACEHOLDER.finditer(text))
    return tuple(dict.fromkeys(name for name in names if name))


def own_words(text: str) -> list[str]:
    """What a template says itself: the pieces between its variables, in order."""
    pieces, since = [], 0
    for match in _PLACEHOLDER.finditer(text):
        if _name(match):
            pieces.append(text[since : match.start()])
            since = match.end()
    return [*pieces, text[since:]]


def render(text: str, variables: Mapping[str, str]) -> str:
    """The template with every variable filled in. ``BadInput`` for unknown ones, listing the known."""
    check_known(text, variables)
    return _PLACEHOLDER.sub(lambda match: variables.get(_name(match), match[0]), text)


def check_known(text: str, known: Iterable[str]) -> None:
    """``BadInput`` when a template uses a variable that is not among the known ones."""
    names = list(known)
    for name in variables_of(text):
        if name not in names:
            raise BadInput(f"{unknown_variable(name, names)}")


def unknown_variable(name: str, known: Iterable[str]) -> str:
    """The sentences for a variable that is not there: the name, the nearest known one, all known ones."""
    names = list(known)
    if not names:
        return f"The template uses {{{{{name}}}}}, but there are no variables at all."
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {{{{{near[0]}}}}}?" if near else ""
    listed = ", ".join(f"{{{{{known_name}}}}}" for known_name in names)
    return f"The template uses {{{{{name}}}}}, which is not a variable here.{hint} Known are {listed}."


def is_variable_name(name: str) -> bool:
    """May a template use this name? Not empty, no blank at the ends, no brace, quote, colon or line break."""
    return bool(name) and name == name.strip() and len(name) <= MAX_NAME and not _BAD_IN_NAME.search(name)


def _name(match: re.Match[str]) -> str:
    """The name inside the braces, or "" when it is not one and the braces are plain text."""
    name = match[1].strip()
    return name if is_variable_name(name) else ""
