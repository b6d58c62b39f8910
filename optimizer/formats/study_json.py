"""A whole study without its votes, as one JSON object; the format of the samples.

    {"format": "prompt-duel-study", "version": 1,
     "study":   {"name", "task", "criteria", "about"},
     "prompts": [{"key", "name", "text"; optional "parent", "note"}],
     "inputs":  [{"key", "variables": {name: value}; optional "tags": [...]}],
     "outputs": [{"prompt": key, "input": key, "text"; optional "sample", "model"}]}

Keys are the file's own: they tie outputs to prompts and inputs, and are not stored.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from optimizer.checks import check_text, check_variables, clean_name, clean_tags, unfilled
from optimizer.domain import (
    Batch,
    Input,
    InputId,
    Origin,
    Output,
    OutputId,
    Prompt,
    PromptId,
    new_id,
)
from optimizer.errors import BadFile, BadInput
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.reading import json_of, text_of

FORMAT = "prompt-duel-study"
VERSION = 1


class StudyJson:
    """Import and export of study files."""

    name: ClassVar[str] = "study-json"
    label: ClassVar[str] = "Study file (JSON)"
    about: ClassVar[str] = "A study with its prompts, inputs and outputs, as Prompt Duel exports it."
    suffixes: ClassVar[tuple[str, ...]] = ("json",)
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "json"
    mime: ClassVar[str] = "application/json"
    whole: ClassVar[bool] = True
    loses: ClassVar[str] = (
        "Holds no votes, raters, settings or dates, and of prompts and inputs only those in use."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """A new study; ``contents`` gives the id and seed that it shall have."""
        data = json_of(text_of(upload), f"'{upload.name}'")
        _check_header(data, upload.name)
        reader = _Reader(contents, now)
        batch = reader.batch(data)
        names = {prompt.id: prompt.name for prompt in batch.prompts}
        head = tuple(
            {"prompt": names[output.prompt], "output": output.text} for output in batch.outputs[:HEAD]
        )
        return Preview(batch, head, (), reader.faults.sentences())

    def write(self, extract: Extract) -> Iterator[str]:
        contents = extract.contents
        study = contents.study
        prompts = [prompt for prompt in contents.prompts if prompt.retired_at is None]
        inputs = [row for row in contents.inputs if row.retired_at is None]
        used = {prompt.id for prompt in prompts} | {row.id for row in inputs}
        yield json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "study": {
                    "name": study.name,
                    "task": study.task,
                    "criteria": study.criteria,
                    "about": study.about,
                },
                "prompts": [_prompt_row(prompt, used) for prompt in prompts],
                "inputs": [
                    {"key": row.id, "variables": dict(row.variables), "tags": list(row.tags)}
                    for row in inputs
                ],
                "outputs": [
                    _output_row(output)
                    for output in contents.outputs
                    if output.usable and output.prompt in used and output.input in used
                ],
            },
            ensure_ascii=False,
            indent=1,
        )
        yield "\n"


def _prompt_row(prompt: Prompt, used: set[Any]) -> dict[str, str]:
    row = {"key": str(prompt.id), "name": prompt.name, "text": prompt.text}
    if prompt.parent in used:
        row["parent"] = str(prompt.parent)
    if prompt.note:
        row["note"] = prompt.note
    return row


def _output_row(output: Output) -> dict[str, object]:
    row: dict[str, object] = {"prompt": output.prompt, "input": output.input, "text": output.text}
    if output.sample:
        row["sample"] = output.sample
    if output.model:
        row["model"] = output.model
    return row


def _check_header(data: Any, name: str) -> None:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadFile([f'\'{name}\' is not a study file: it has no "format": "{FORMAT}" at the top.'])
    version = data.get("version")
    if version != str(VERSION):  # numbers are read as their text
        raise BadFile([f"'{name}' is a study file of version {version}; version {VERSION} can be read here."])


class _Reader:
    """Goes through one file; each fault names its place as a path, e.g. prompts[3].text."""

    def __init__(self, contents: Contents, now: datetime) -> None:
        self._study = contents.study
        self._now = now
        self.faults = Faults()

    def batch(self, data: Mapping[str, Any]) -> Batch:
        raw_study = data.get("study")
        if not isinstance(raw_study, dict):
            self.faults.add("study", "is missing or not an object")
            raw_study = {}
        name = self._text(raw_study, "name", "study", "")
        try:
            name = clean_name("study", name)
        except BadInput as error:
            self.faults.add_error("study.name", error)
        study = replace(
            self._study,
            name=name,
            task=self._text(raw_study, "task", "study", ""),
            criteria=self._text(raw_study, "criteria", "study", ""),
            about=self._text(raw_study, "about", "study", ""),
        )
        prompts = self._prompts(data)
        inputs = self._inputs(data, list(prompts.values()))
        outputs = self._outputs(data, prompts, inputs)
        return Batch(
            studies=[study], prompts=list(prompts.values()), inputs=list(inputs.values()), outputs=outputs
        )

    def _prompts(self, data: Mapping[str, Any]) -> dict[str, Prompt]:
        prompts: dict[str, Prompt] = {}
        names: dict[str, str] = {}
        for where, row in self._rows(data, "prompts"):
            key = self._key(row, where, prompts)
            try:
                name = clean_name("prompt", self._text(row, "name", where))
            except BadInput as error:
                self.faults.add_error(f"{where}.name", error)
                continue
            if name.casefold() in names:
                self.faults.add(f"{where}.name", f"'{name}' is taken by {names[name.casefold()]}")
            names[name.casefold()] = where
            parent_key = self._text(row, "parent", where, "")
            if parent_key and parent_key not in prompts:
                self.faults.add(f"{where}.parent", f"'{parent_key}' is not the key of an earlier prompt")
            parent = prompts.get(parent_key)
            prompts[key] = Prompt(
                PromptId(new_id()),
                self._study.id,
                name,
                self._text(row, "text", where),
                parent=parent.id if parent else None,
                origin=Origin.IMPORTED,
                note=self._text(row, "note", where, ""),
                created_at=self._now,
            )
        return prompts

    def _inputs(self, data: Mapping[str, Any], prompts: list[Prompt]) -> dict[str, Input]:
        inputs: dict[str, Input] = {}
        seen: dict[frozenset[tuple[str, str]], str] = {}
        for where, row in self._rows(data, "inputs"):
            key = self._key(row, where, inputs)
            raw = row.get("variables")
            if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
                self.faults.add(f"{where}.variables", "must be an object of texts")
                continue
            raw_tags = row.get("tags", [])
            if not isinstance(raw_tags, list) or not all(isinstance(tag, str) for tag in raw_tags):
                self.faults.add(f"{where}.tags", "must be a list of texts")
                continue
            try:
                variables = check_variables(raw)
                tags = clean_tags(raw_tags)
            except BadInput as error:
                self.faults.add_error(where, error)
                continue
            lacking = unfilled(prompts, variables)
            if lacking:
                self.faults.add(where, lacking)
            same = seen.setdefault(frozenset(variables.items()), where)
            if same != where:
                self.faults.add(where, f"has the same variables as {same}")
            inputs[key] = Input(InputId(new_id()), self._study.id, variables, tags, created_at=self._now)
        return inputs

    def _outputs(
        self, data: Mapping[str, Any], prompts: Mapping[str, Prompt], inputs: Mapping[str, Input]
    ) -> list[Output]:
        outputs: list[Output] = []
        seen: dict[tuple[str, str, int], str] = {}
        for where, row in self._rows(data, "outputs"):
            prompt_key = self._text(row, "prompt", where)
            input_key = self._text(row, "input", where)
            text = self._text(row, "text", where)
            if prompt_key not in prompts:
                self.faults.add(f"{where}.prompt", f"'{prompt_key}' is not the key of a prompt")
            if input_key not in inputs:
                self.faults.add(f"{where}.input", f"'{input_key}' is not the key of an input")
            if not text.strip():
                self.faults.add(f"{where}.text", "is empty")
            sample = self._text(row, "sample", where, "0")
            if not (sample.isascii() and sample.isdigit() and len(sample) < 7):
                self.faults.add(f"{where}.sample", f"'{sample}' is not a whole number from 0")
                continue
            if prompt_key not in prompts or input_key not in inputs:
                continue
            same = seen.setdefault((prompt_key, input_key, int(sample)), where)
            if same != where:
                self.faults.add(where, f"is the same prompt, input and sample as {same}")
            outputs.append(
                Output(
                    OutputId(new_id()),
                    self._study.id,
                    prompts[prompt_key].id,
                    inputs[input_key].id,
                    text,
                    sample=int(sample),
                    model=self._text(row, "model", where, ""),
                    created_at=self._now,
                )
            )
        return outputs

    def _rows(self, data: Mapping[str, Any], part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        rows = data.get(part, [])
        if not isinstance(rows, list):
            self.faults.add(part, "is not a list")
            return
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                yield f"{part}[{number}]", row
            else:
                self.faults.add(f"{part}[{number}]", "is not an object")

    def _key(self, row: Mapping[str, Any], where: str, taken: Mapping[str, object]) -> str:
        key = self._text(row, "key", where)
        if key in taken:
            self.faults.add(f"{where}.key", f"'{key}' is used twice")
        return key

    def _text(self, row: Mapping[str, Any], field: str, where: str, default: str | None = None) -> str:
        value = row.get(field, default)
        if value is None:
            self.faults.add(f"{where}.{field}", "is missing")
            return ""
        if not isinstance(value, str):
            self.faults.add(f"{where}.{field}", "is not a text")
            return ""
        try:
            return check_text(field, value)
        except BadInput as error:
            self.faults.add_error(f"{where}.{field}", error)
            return ""
