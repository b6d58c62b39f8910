"""promptfoo's results: what every prompt gave on every test (``promptfoo eval -o results.json``)."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from optimizer.checks import free_name
from optimizer.errors import BadFile
from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import Choices, Contents, Faults, Made, Preview, Upload, told
from optimizer.formats.promptfoo import not_plain, short_name
from optimizer.formats.reading import json_of, text_of


class PromptfooResults:
    """Import: a study with outputs, ready to be voted on."""

    name: ClassVar[str] = "promptfoo-results"
    label: ClassVar[str] = "promptfoo results (JSON)"
    about: ClassVar[str] = (
        "The file of 'promptfoo eval -o results.json': its prompts, variables and outputs. Every provider "
        "makes a prompt of its own, for their outputs differ."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("json",)
    makes_study: ClassVar[bool] = True

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Errors, costs and latencies are left out; a score is the assertions' own, from 0 to 1."""
        data = json_of(text_of(upload), f"'{upload.name}'")
        rows, prompts = _parts(data, upload.name)
        faults = Faults()
        arrivals = Arrivals(contents, choices, now, faults)
        names: dict[tuple[str, str], str] = {}
        providers = {_provider(row) for row in rows}
        seen: dict[tuple[str, str, str], int] = {}
        failed = 0
        for number, row in enumerate(rows):
            where = f"results[{number}]"
            variables = _variables(row.get("vars"))
            output = _output(row)
            if output is None or not variables:
                failed += 1
                continue
            template, label = _prompt(row, prompts)
            provider = _provider(row) if len(providers) > 1 else ""
            key = (template or label, provider)
            if key not in names:
                name = short_name(label) + (f" [{provider}]" if provider else "")
                names[key] = free_name(name, names.values())
            prompt = arrivals.prompt(names[key], where, template)
            found = arrivals.input_of_its_own(variables, "", where)
            if prompt is not None and found is not None:
                cell = (prompt.id, found.id, "")
                seen[cell] = seen.get(cell, -1) + 1  # a test may be repeated
                made = Made(provider or _provider(row), _score(row))
                arrivals.output(prompt, found, output, where, seen[cell], made)
        notes = [f"{told(failed, 'result')} left out: an error, or no output."] if failed else []
        preview = arrivals.preview((), tuple(notes))
        return replace(preview, batch=replace(preview.batch, studies=[contents.study]))


def _parts(data: Any, file: str) -> tuple[list[Mapping[str, Any]], list[Any]]:
    """The results and the prompts, wherever this version of promptfoo puts them."""
    inner = data.get("results") if isinstance(data, dict) else None
    rows = inner.get("results", inner.get("outputs")) if isinstance(inner, dict) else inner
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadFile([f"'{file}' holds no promptfoo results: there is no list under results."])
    prompts = inner.get("prompts") if isinstance(inner, dict) else data.get("prompts")
    return rows, prompts if isinstance(prompts, list) else []


def _variables(raw: object) -> dict[str, str]:
    """Texts as they are, everything else as JSON."""
    pairs = raw.items() if isinstance(raw, dict) else ()
    return {name: value if isinstance(value, str) else _json(value) for name, value in pairs}


def _output(row: Mapping[str, Any]) -> str | None:
    response = row.get("response")
    output = response.get("output") if isinstance(response, dict) else None
    if output is None or (row.get("error") and not output):
        return None
    return output if isinstance(output, str) else _json(output)


def _score(row: Mapping[str, Any]) -> float | None:
    """What its assertions gave it; None where a test has none and the score says nothing."""
    score, graded = row.get("score"), row.get("gradingResult")
    checked = isinstance(graded, dict) and bool(graded.get("componentResults"))
    return float(score) if checked and isinstance(score, int | float) and math.isfinite(score) else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _provider(row: Mapping[str, Any]) -> str:
    provider = row.get("provider")
    if isinstance(provider, dict):
        provider = provider.get("label") or provider.get("id")
    return provider if isinstance(provider, str) else ""


def _prompt(row: Mapping[str, Any], prompts: list[Any]) -> tuple[str, str]:
    """(template, label) of a result. What a result calls raw is filled in already; a prompt's raw is not."""
    own = row.get("prompt")
    label = own.get("label") if isinstance(own, dict) else None
    index = str(row.get("promptIdx", ""))
    listed = prompts[int(index)] if index.isdigit() and int(index) < len(prompts) else {}
    candidates = (listed.get("raw") if isinstance(listed, dict) else None, label)
    template = next((one for one in candidates if isinstance(one, str) and "{{" in one), "")
    if not isinstance(label, str) or not label.strip():
        label = template or f"Prompt {index or '?'}"
    return ("" if not_plain(template) else template), label
