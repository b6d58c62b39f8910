"""Label Studio tasks with pairwise annotations: {"type": "pairwise", "value": {"selected": "left"}}.

A labelling configuration for them:

    <View><Text name="prompt" value="$prompt"/>
    <Pairwise name="comparison" toName="answer1,answer2"/>
    <Text name="answer1" value="$answer1"/><Text name="answer2" value="$answer2"/></View>
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from optimizer.domain import Outcome
from optimizer.errors import BadInput
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.history import Battle, History, Side, field
from optimizer.formats.shared_input import Shown, input_text, shown
from optimizer.formats.tables import read_records

SELECTED = {Outcome.FIRST: "left", Outcome.SECOND: "right"}
OUTCOME = {selected: outcome for outcome, selected in SELECTED.items()}


class LabelStudio:
    """Import and export."""

    name: ClassVar[str] = "label-studio"
    label: ClassVar[str] = "Label Studio tasks (JSON)"
    about: ClassVar[str] = (
        "Tasks with 'prompt', 'answer1', 'answer2' in their data and pairwise annotations. 'prompt1' and "
        "'prompt2' beside them name what competed, as our export does."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("json",)
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "json"
    mime: ClassVar[str] = "application/json"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "A pairwise annotation is left or right: ties go out as tasks without an annotation. No grades, "
        "reasons or comments."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """One vote per annotation; tasks without any are left out."""
        faults = Faults()
        records = list(read_records(upload, faults))
        history = History(contents, choices, now, faults)
        for where, task in records:
            try:
                for battle in _battles(where, task):
                    history.add(battle)
            except BadInput as error:
                faults.add(where, str(error))
        shown_data = [task["data"] for _, task in records[:HEAD] if isinstance(task.get("data"), dict)]
        return history.preview([{"prompt": str(data.get("prompt", ""))} for data in shown_data])

    def write(self, extract: Extract) -> Iterator[str]:
        yield "["
        separator = "\n"
        for one in shown(extract):
            yield separator + json.dumps(_task(one, extract), ensure_ascii=False)
            separator = ",\n"
        yield "\n]\n"


def _task(one: Shown, extract: Extract) -> dict[str, object]:
    selected = SELECTED.get(one.ballot.vote.outcome)
    result = {
        "from_name": "comparison",
        "to_name": "answer1,answer2",
        "type": "pairwise",
        "value": {"selected": selected},
    }
    rater = extract.raters[one.ballot.vote.rater].name
    return {
        "data": {
            "prompt": input_text(one.row),
            "answer1": one.first.text,
            "answer2": one.second.text,
            "prompt1": one.first_prompt.name,
            "prompt2": one.second_prompt.name,
            "rater": rater,
        },
        "annotations": [{"result": [result]}] if selected else [],
    }


def _data(task: Mapping[str, Any]) -> Mapping[str, Any]:
    data = task.get("data")
    if not isinstance(data, dict):
        raise BadInput("has no 'data'")
    return data


def _battles(where: str, task: Mapping[str, Any]) -> Iterator[Battle]:
    data = _data(task)
    annotations = task.get("annotations", [])
    if not isinstance(annotations, list):
        raise BadInput("has annotations that are not a list")
    for annotation in annotations:
        results = annotation.get("result") if isinstance(annotation, dict) else None
        if not isinstance(results, list):
            raise BadInput("has an annotation without a result")
        for result in results:
            if isinstance(result, dict) and result.get("type") == "pairwise":
                yield Battle(
                    where,
                    Side(field(data, "prompt1"), field(data, "answer1")),
                    Side(field(data, "prompt2"), field(data, "answer2")),
                    _outcome(result),
                    _rater(annotation, data),
                    {"question": field(data, "prompt")},
                )


def _outcome(result: Mapping[str, Any]) -> Outcome:
    value = result.get("value")
    selected = value.get("selected") if isinstance(value, dict) else None
    if selected not in OUTCOME:
        raise BadInput(f"has the selection '{selected}', which is neither left nor right")
    return OUTCOME[selected]


def _rater(annotation: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    by = annotation.get("completed_by", data.get("rater", ""))
    return by if isinstance(by, str) else ""
