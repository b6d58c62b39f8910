"""promptfoo's configuration: prompts and tests in YAML, in and out.

Its templates are Nunjucks; only ``{{name}}`` has a meaning here, so a prompt with a filter, a condition or
a path is left out with a note. Files that a configuration names are never followed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from optimizer.checks import MAX_TAG, free_name
from optimizer.errors import BadFile
from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.reading import text_of, yaml_of
from optimizer.formats.writing import yaml_text
from optimizer.templates import variables_of

SCHEMA = "# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json\n"
# The provider that gives back its prompt: the file runs without a key until a real one is named.
PROVIDERS = ["echo"]
_FILE = re.compile(r"(file|https?|huggingface|exec|python|package)://|exec:")
_PLAIN = re.compile(r"[\w -]+")


class Promptfoo:
    """Import and export of a configuration."""

    name: ClassVar[str] = "promptfoo"
    label: ClassVar[str] = "promptfoo configuration (YAML)"
    about: ClassVar[str] = (
        "A promptfooconfig.yaml with its prompts and tests inside: they become prompts and inputs."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("yaml", "yml")
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "yaml"
    mime: ClassVar[str] = "application/yaml"
    whole: ClassVar[bool] = True
    loses: ClassVar[str] = (
        "Holds prompts and inputs in use, no outputs and votes. Its provider is 'echo': name your own in the "
        "file."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """A study of the prompts and tests; assertions, providers and options are left out."""
        config = yaml_of(text_of(upload), f"'{upload.name}'")
        if not isinstance(config, dict) or not ({"prompts", "tests"} & set(config)):
            raise BadFile(
                [f"'{upload.name}' is no promptfoo configuration: it has neither prompts nor tests."]
            )
        faults = Faults()
        notes: list[str] = []
        arrivals = Arrivals(contents, choices, now, faults)
        taken: list[str] = []
        for where, label, text in _prompts(config.get("prompts"), notes):
            name = free_name(label, taken)
            taken.append(name)
            arrivals.prompt(name, where, text)
        for where, variables, tags in _tests(config, notes):
            arrivals.input_of_its_own(variables, tags, where)
        preview = arrivals.preview((), tuple(notes))
        task = config.get("description")
        study = replace(contents.study, task=task if isinstance(task, str) else "")
        return replace(preview, batch=replace(preview.batch, studies=[study]))

    def write(self, extract: Extract) -> Iterator[str]:
        contents = extract.contents
        prompts = [
            {"id": one.name, "label": one.name, "raw": one.text}
            for one in contents.prompts
            if one.retired_at is None and one.text
        ]
        goal = contents.study.criteria or contents.study.task
        config = {
            "description": contents.study.task or contents.study.name,
            "prompts": prompts,
            "providers": PROVIDERS,
            **({"defaultTest": {"assert": [{"type": "select-best", "value": goal}]}} if goal else {}),
            "tests": tests_of(contents),
        }
        yield SCHEMA + yaml_text(config)


def tests_of(contents: Contents) -> list[dict[str, object]]:
    """The inputs in use as promptfoo's tests; tags as metadata."""
    return [
        {"vars": dict(row.variables), **({"metadata": {"tags": list(row.tags)}} if row.tags else {})}
        for row in contents.inputs
        if row.retired_at is None
    ]


def short_name(text: str) -> str:
    """A name for a prompt that has none: the beginning of its first line."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "Prompt")
    return first if len(first) <= 60 else f"{first[:57].rstrip()}..."


def not_plain(text: str) -> str:
    """What in a Nunjucks template means something there and nothing here; "" when it is plain."""
    if _FILE.match(text.strip()):
        return f"names a file ('{text.strip()[:80]}'), which is not followed"
    if "{%" in text or "{#" in text:
        return "uses Nunjucks blocks ({% or {#)"
    odd = next((name for name in variables_of(text) if not _PLAIN.fullmatch(name)), None)
    return f"uses the Nunjucks expression {{{{{odd}}}}}" if odd else ""


def variables_of_test(raw: object, where: str, notes: list[str]) -> dict[str, str] | None:
    """The variables of a test, or None with a note where one of them is no text."""
    if not isinstance(raw, dict):
        notes.append(f"{where} is left out: it has no variables of its own.")
        return None
    for name, value in raw.items():
        if not isinstance(value, str):
            notes.append(f"{where} is left out: its variable '{name}' is not one text.")
            return None
        if _FILE.match(value):
            notes.append(f"{where} is left out: its variable '{name}' names a file, which is not followed.")
            return None
    return {str(name): str(value) for name, value in raw.items()}


def metadata_tags(metadata: object) -> str:
    """Tags from a test's metadata: our own list, else "key: value" of each text."""
    if not isinstance(metadata, dict):
        return ""
    tags: list[str] = []
    for key, value in metadata.items():
        values = value if isinstance(value, list) else [value]
        tags += [str(one) if key == "tags" else f"{key}: {one}" for one in values if isinstance(one, str)]
    return "\n".join(re.sub(r"[,;\n]", " ", tag)[:MAX_TAG] for tag in tags)


def _prompts(raw: Any, notes: list[str]) -> Iterator[tuple[str, str, str]]:
    """(where, name, text) of each prompt that can be taken."""
    entries = [raw] if isinstance(raw, str) else raw
    if isinstance(entries, dict):
        entries = [{"raw": text, "label": label} for text, label in entries.items()]
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        where = f"prompts[{number}]"
        fields = {"raw": entry} if isinstance(entry, str) else entry
        text = fields.get("raw", fields.get("id", "")) if isinstance(fields, dict) else ""
        if not isinstance(text, str) or not text.strip():
            notes.append(f"{where} is left out: it has no text.")
            continue
        reason = not_plain(text)
        if reason:
            notes.append(f"{where} is left out: it {reason}.")
            continue
        label = fields.get("label") or fields.get("id") or ""
        yield where, short_name(label if isinstance(label, str) and label.strip() else text), text


def _tests(config: Mapping[str, Any], notes: list[str]) -> Iterator[tuple[str, dict[str, str], str]]:
    """(where, variables, tags) of each test that can be taken; the default test's variables under its own."""
    tests, default = config.get("tests", []), config.get("defaultTest", {})
    if not isinstance(tests, list):
        notes.append("The tests are in a file of their own, which is not followed. Import it as inputs.")
        return
    common = default.get("vars", {}) if isinstance(default, dict) else {}
    asserted = 0
    for number, test in enumerate(tests):
        where = f"tests[{number}]"
        if not isinstance(test, dict):
            notes.append(f"{where} is left out: it is not written out here.")
            continue
        asserted += len(test["assert"]) if isinstance(test.get("assert"), list) else 0
        own = test.get("vars", {})
        merged = {**common, **own} if isinstance(common, dict) and isinstance(own, dict) else own
        variables = variables_of_test(merged, where, notes)
        if variables:
            yield where, variables, metadata_tags(test.get("metadata"))
    if asserted:
        notes.append(f"{asserted} assertions are left out.")
