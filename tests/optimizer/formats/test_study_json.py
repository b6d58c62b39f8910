import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.domain import Origin, Study, StudyId
from optimizer.errors import BadFile
from optimizer.formats.base import Choices, Contents, Extract, Preview, Upload
from optimizer.formats.study_json import StudyJson

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FRESH = Contents(Study(StudyId("fresh"), "file", seed=7, created_at=NOW))
SAMPLES = Path(__file__).parents[3] / "data" / "samples"


def whole() -> dict[str, Any]:
    return {
        "format": "prompt-duel-study",
        "version": 1,
        "study": {"name": "Replies", "task": "Answer.", "criteria": "short", "about": "made up"},
        "prompts": [
            {"key": "a", "name": "A", "text": "{{x}}"},
            {"key": "b", "name": "B", "text": "{{x}} {{y}}", "parent": "a", "note": "more"},
        ],
        "inputs": [
            {"key": "1", "variables": {"x": "1", "y": ""}, "tags": ["t"]},
            {"key": "2", "variables": {"x": "2", "y": "z"}},
        ],
        "outputs": [
            {"prompt": "a", "input": "1", "text": "one"},
            {"prompt": "a", "input": "1", "text": "again", "sample": 1, "model": "m"},
        ],
    }


def read(data: object) -> Preview:
    upload = Upload("study.json", json.dumps(data).encode())
    return StudyJson().read(upload, FRESH, Choices(), NOW)


def test_a_study_file_becomes_a_study() -> None:
    preview = read(whole())
    assert preview.faults == ()
    batch = preview.checked()
    study = batch.studies[0]
    assert (study.id, study.seed, study.name, study.about) == ("fresh", 7, "Replies", "made up")
    a, b = batch.prompts
    assert (a.name, a.origin, b.parent, b.note) == ("A", Origin.IMPORTED, a.id, "more")
    assert [(dict(row.variables), row.tags) for row in batch.inputs] == [
        ({"x": "1", "y": ""}, ("t",)),
        ({"x": "2", "y": "z"}, ()),
    ]
    assert [(out.prompt, out.input, out.text, out.sample, out.model) for out in batch.outputs] == [
        (a.id, batch.inputs[0].id, "one", 0, ""),
        (a.id, batch.inputs[0].id, "again", 1, "m"),
    ]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("study",), None, "study is missing or not an object."),
        (("study", "name"), "", "study.name: A study needs a name."),
        (("study", "task"), [1], "study.task is not a text."),
        (("prompts",), {}, "prompts is not a list."),
        (("prompts", 1), "B", "prompts[1] is not an object."),
        (("prompts", 1, "key"), "a", "prompts[1].key 'a' is used twice."),
        (("prompts", 1, "name"), "a", "prompts[1].name 'a' is taken by prompts[0]."),
        (("prompts", 1, "parent"), "c", "prompts[1].parent 'c' is not the key of an earlier prompt."),
        (("prompts", 0, "text"), None, "prompts[0].text is missing."),
        (("inputs", 0, "variables"), ["x"], "inputs[0].variables must be an object of texts."),
        (("inputs", 0, "variables"), {"x": {}}, "inputs[0].variables must be an object of texts."),
        (("inputs", 1, "variables"), {"x": "2"}, "inputs[1] has no 'y', which the prompt 'B' uses."),
        (("inputs", 1, "variables"), {"y": "", "x": "1"}, "inputs[1] has the same variables as inputs[0]."),
        (("inputs", 0, "tags"), "t", "inputs[0].tags must be a list of texts."),
        (("outputs", 0, "prompt"), "c", "outputs[0].prompt 'c' is not the key of a prompt."),
        (("outputs", 0, "input"), "3", "outputs[0].input '3' is not the key of an input."),
        (("outputs", 0, "text"), " ", "outputs[0].text is empty."),
        (("outputs", 0, "text"), "\0", "outputs[0].text: The text holds a NUL character (position 1)."),
        (("outputs", 1, "sample"), -1, "outputs[1].sample '-1' is not a whole number from 0."),
        (("outputs", 1, "sample"), 0, "outputs[1] is the same prompt, input and sample as outputs[0]."),
    ],
)
def test_every_fault_names_its_place(path: tuple[str | int, ...], value: object, said: str) -> None:
    data = whole()
    place: Any = data
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    preview = read(data)
    assert said in preview.faults
    with pytest.raises(BadFile):
        preview.checked()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "is not a study file"),
        ({"version": 1}, "is not a study file"),
        ({"format": "prompt-duel-study", "version": 2}, "study file of version 2; version 1 can be read"),
        ({"format": "prompt-duel-study"}, "study file of version None"),
    ],
)
def test_another_file_is_refused(data: object, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        read(data)


def test_broken_json_is_told_with_its_place() -> None:
    with pytest.raises(BadFile, match=r"'s.json' is not JSON: .*line 2, character 3"):
        StudyJson().read(Upload("s.json", b'{"a": 1,\n  b}'), FRESH, Choices(), NOW)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).filter(
    str.strip
)
NAME = st.text(st.characters(categories=("L", "N", "S")), min_size=1, max_size=8)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(NAME, min_size=1, max_size=4, unique_by=str.casefold))
    values = draw(st.lists(TEXT, min_size=1, max_size=4, unique=True))
    cells = [(p, i) for p in range(len(names)) for i in range(len(values))]
    return {
        "format": "prompt-duel-study",
        "version": 1,
        "study": {"name": draw(NAME), "task": draw(TEXT), "criteria": "", "about": draw(TEXT)},
        "prompts": [{"key": str(i), "name": name, "text": f"{{{{x}}}} {i}"} for i, name in enumerate(names)],
        "inputs": [
            {"key": str(i), "variables": {"x": value}, "tags": draw(st.lists(NAME, max_size=2, unique=True))}
            for i, value in enumerate(values)
        ],
        "outputs": [
            {"prompt": str(p), "input": str(i), "text": draw(TEXT)}
            for p, i in draw(st.lists(st.sampled_from(cells), max_size=5, unique=True))
        ],
    }


def exported(preview: Preview) -> dict[str, Any]:
    """What a study that was read is written as, its keys numbered as in ``files``."""
    batch = preview.checked()
    contents = Contents(batch.studies[0], tuple(batch.prompts), tuple(batch.inputs), tuple(batch.outputs))
    data: dict[str, Any] = json.loads("".join(StudyJson().write(Extract(contents))))
    keys = {row["key"]: str(i) for part in ("prompts", "inputs") for i, row in enumerate(data[part])}
    for row in (*data["prompts"], *data["inputs"]):
        row["key"] = keys[row["key"]]
        if "parent" in row:
            row["parent"] = keys[row["parent"]]
    for row in data["outputs"]:
        row["prompt"], row["input"] = keys[row["prompt"]], keys[row["input"]]
    return data


@settings(deadline=None)
@given(files())
def test_what_is_read_is_written_again(data: dict[str, Any]) -> None:
    assert exported(read(data)) == data


def test_notes_parents_samples_and_models_survive() -> None:
    written = exported(read(whole()))
    assert written["prompts"][1] == {
        "key": "1",
        "name": "B",
        "text": "{{x}} {{y}}",
        "parent": "0",
        "note": "more",
    }
    assert written["outputs"][1] == {"prompt": "0", "input": "0", "text": "again", "sample": 1, "model": "m"}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_the_samples_are_whole(path: Path) -> None:
    batch = StudyJson().read(Upload(path.name, path.read_bytes()), FRESH, Choices(), NOW).checked()
    assert len(batch.outputs) == len(batch.prompts) * len(batch.inputs)
    assert "written in advance" in batch.studies[0].about
