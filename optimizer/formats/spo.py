"""Self-Supervised Prompt Optimization's files: the template in YAML, and the rounds of a finished run.

SPO writes "None" where there is nothing, and prompts without placeholders: the question follows the prompt.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from optimizer.domain import Batch, Prompt, PromptId
from optimizer.errors import BadFile
from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.reading import json_of, text_of, yaml_of
from optimizer.formats.shared_input import input_text
from optimizer.formats.writing import yaml_text
from optimizer.templates import variables_of

NONE = "None"
QUESTION = "{{question}}"


class SpoTemplate:
    """Import and export of the template."""

    name: ClassVar[str] = "spo"
    label: ClassVar[str] = "SPO template (YAML)"
    about: ClassVar[str] = (
        "'prompt', 'requirements' and 'qa' with questions and answers, as SPO's settings have them."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("yaml", "yml")
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "yaml"
    mime: ClassVar[str] = "application/yaml"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Holds the leading prompt (the first one while nothing leads) and the inputs as questions, of which "
        "SPO reads the first three; placeholders are taken out, for SPO appends the question."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """A study with one prompt; requirements become criteria, answers a variable of the inputs."""
        data = yaml_of(text_of(upload), f"'{upload.name}'")
        if not isinstance(data, dict) or not isinstance(data.get("prompt"), str):
            raise BadFile([f"'{upload.name}' is no SPO template: it has no 'prompt'."])
        faults = Faults()
        arrivals = Arrivals(contents, choices, now, faults)
        arrivals.prompt("Start", "prompt", _with_question(data["prompt"]))
        rows = data.get("qa", [])
        for number, row in enumerate(rows if isinstance(rows, list) else []):
            where = f"qa[{number}]"
            question, answer = _text(row, "question"), _text(row, "answer")
            if not question:
                faults.add(where, "has no question")
                continue
            arrivals.input_of_its_own(
                {"question": question, **({"answer": answer} if answer else {})}, "", where
            )
        words = str(data.get("count", NONE)).strip()
        criteria = [_text(data, "requirements"), f"At most {words} words." if words.isdigit() else ""]
        study = replace(contents.study, criteria="\n".join(one for one in criteria if one))
        preview = arrivals.preview(())
        return replace(preview, batch=replace(preview.batch, studies=[study]))

    def write(self, extract: Extract) -> Iterator[str]:
        contents = extract.contents
        in_use = [one for one in contents.prompts if one.retired_at is None and one.text]
        prompt = extract.winner or (in_use[0] if in_use else None)
        rows = [
            {"question": input_text(row), "answer": row.variables.get("answer") or NONE}
            for row in contents.inputs
            if row.retired_at is None
        ]
        yield yaml_text(
            {
                "prompt": _without_placeholders(prompt.text) if prompt else NONE,
                "requirements": contents.study.criteria or contents.study.task or NONE,
                "count": NONE,
                "qa": rows,
            }
        )


class SpoResults:
    """Import of a finished run: each round's prompt, its outputs, and who came from whom."""

    name: ClassVar[str] = "spo-results"
    label: ClassVar[str] = "SPO results (JSON)"
    about: ClassVar[str] = "The results.json of a run: 'round', 'prompt' and 'answers' of each round."
    suffixes: ClassVar[tuple[str, ...]] = ("json",)
    makes_study: ClassVar[bool] = True

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Each round's parent is the round before it. 'succeed' is not used: in the standalone repository
        its sign was inverted, and it adopted the losing prompts; vote on the outputs instead."""
        data = json_of(text_of(upload), f"'{upload.name}'")
        if not isinstance(data, list) or not all(isinstance(one, dict) and "prompt" in one for one in data):
            raise BadFile(
                [f"'{upload.name}' holds no SPO rounds: it is not a list of objects with a 'prompt'."]
            )
        faults = Faults()
        arrivals = Arrivals(contents, choices, now, faults)
        line: list[PromptId] = []
        for number, one in enumerate(data):
            where = f"rounds[{number}]"
            name = f"Round {one.get('round', number + 1)}"
            prompt = arrivals.prompt(name, where, _with_question(_text(one, "prompt")))
            answers = one.get("answers", [])
            for place, row in enumerate(answers if isinstance(answers, list) else []):
                found = arrivals.input_of_its_own(
                    {"question": _text(row, "question")}, "", f"{where}.answers[{place}]"
                )
                if prompt is not None and found is not None:
                    arrivals.output(prompt, found, _text(row, "answer"), f"{where}.answers[{place}]")
            if prompt is not None:
                line.append(prompt.id)
        note = "SPO's own verdicts ('succeed') are left out: vote on the outputs."
        preview = arrivals.preview((), (note,))
        return replace(preview, batch=_in_line(replace(preview.batch, studies=[contents.study]), line))


def _in_line(batch: Batch, line: list[PromptId]) -> Batch:
    """The batch with each prompt's parent the one before it."""
    parents = dict(zip(line[1:], line, strict=False))

    def child(prompt: Prompt) -> Prompt:
        return replace(prompt, parent=parents.get(prompt.id))

    return replace(batch, prompts=[child(prompt) for prompt in batch.prompts])


def _text(row: Any, name: str) -> str:
    """A text of a mapping, "" for SPO's "None"."""
    value = row.get(name) if isinstance(row, dict) else None
    return value.strip() if isinstance(value, str) and value.strip() != NONE else ""


def _with_question(prompt: str) -> str:
    return f"{prompt.rstrip()}\n\n{QUESTION}"


def _without_placeholders(text: str) -> str:
    for name in variables_of(text):
        text = text.replace(f"{{{{{name}}}}}", "")
    return text.strip()
