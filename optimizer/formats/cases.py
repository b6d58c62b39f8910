"""Test cases of other tools as inputs: promptfoo's CSV and JSONL, OpenAI evals' JSONL."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from optimizer.errors import BadInput
from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import HEAD, Choices, Contents, Faults, Preview, Upload, told
from optimizer.formats.promptfoo import metadata_tags, variables_of_test
from optimizer.formats.tables import read_records

Case = tuple[dict[str, str], str]  # variables, tags


class PromptfooTests:
    """Import of tests that stand in a file of their own."""

    name: ClassVar[str] = "promptfoo-tests"
    label: ClassVar[str] = "promptfoo tests (CSV, JSONL)"
    about: ClassVar[str] = (
        "One test per row: plain columns (or 'vars') are variables, '__metadata:...' are tags; other columns "
        "that start with two underscores are left out."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("csv", "jsonl", "json")
    makes_study: ClassVar[bool] = False

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        return _read(upload, contents, choices, now, _promptfoo_case)


class OpenAiEvals:
    """Import of samples."""

    name: ClassVar[str] = "openai-evals"
    label: ClassVar[str] = "OpenAI evals samples (JSONL)"
    about: ClassVar[str] = (
        "'input' (a text or messages) and 'ideal' become the variables of those names; other texts of a "
        "sample become variables, too."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("jsonl", "json")
    makes_study: ClassVar[bool] = False

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        return _read(upload, contents, choices, now, _evals_case)


def _read(
    upload: Upload,
    contents: Contents,
    choices: Choices,
    now: datetime,
    case: Callable[[str, Mapping[str, Any], list[str]], Case | None],
) -> Preview:
    faults = Faults()
    notes: list[str] = []
    arrivals = Arrivals(contents, choices, now, faults)
    head: list[Mapping[str, str]] = []
    for where, record in read_records(upload, faults):
        try:
            found = case(where, record, notes)
        except BadInput as error:
            faults.add(where, str(error))
            continue
        if found is not None:
            head.append(found[0])
            arrivals.input_of_its_own(*found, where)
    if not head and not faults:
        faults.add_sentence(f"No row can be taken as an input. {notes[0] if notes else ''}".strip())
    left_out = notes if len(notes) < 20 else [*notes[:20], f"{told(len(notes) - 20, 'more note')}."]
    return arrivals.preview(tuple(head[:HEAD]), tuple(left_out))


def _promptfoo_case(where: str, record: Mapping[str, Any], notes: list[str]) -> Case | None:
    if "vars" in record:
        variables = variables_of_test(record["vars"], where, notes)
        return (variables, metadata_tags(record.get("metadata"))) if variables else None
    plain = {name: value for name, value in record.items() if not name.startswith("__")}
    metadata = {
        name.removeprefix("__metadata:").removesuffix("[]"): value
        for name, value in record.items()
        if name.startswith("__metadata:") and value
    }
    variables = variables_of_test(plain, where, notes)
    return (variables, metadata_tags(metadata)) if variables else None


def _evals_case(where: str, record: Mapping[str, Any], notes: list[str]) -> Case | None:
    asked = record.get("input")
    if isinstance(asked, list):
        asked = _transcript(asked)
    if not isinstance(asked, str) or not asked.strip():
        raise BadInput("has no 'input' that is a text or a list of messages")
    variables = {"input": asked}
    ideal = record.get("ideal")
    if isinstance(ideal, list) and all(isinstance(one, str) for one in ideal):
        ideal = "\n".join(ideal)
    if isinstance(ideal, str):
        variables["ideal"] = ideal
    known = ("input", "ideal")
    variables |= {n: v for n, v in record.items() if n not in known and isinstance(v, str)}
    return variables, ""


def _transcript(messages: list[Any]) -> str:
    """A single user message as its text, more of them with who speaks."""
    if not all(isinstance(one, dict) and isinstance(one.get("content"), str) for one in messages):
        raise BadInput("has messages whose content is not a text")
    if len(messages) == 1:
        return str(messages[0]["content"])
    return "\n\n".join(f"{one.get('role', 'user')}: {one['content']}" for one in messages)
