from dataclasses import replace
from datetime import UTC, datetime

import pytest

from optimizer.domain import Input, InputId, Study, StudyId
from optimizer.formats.base import Choices, Contents, Extract, Preview, Upload
from optimizer.formats.inputs import InputsTable

NOW = datetime(2026, 3, 2, tzinfo=UTC)
EMPTY = Contents(Study(StudyId("study"), "Small"))


def read(contents: Contents, data: str, name: str = "inputs.csv") -> Preview:
    return InputsTable().read(Upload(name, data.encode()), contents, Choices(), NOW)


def rows(preview: Preview) -> list[tuple[dict[str, str], tuple[str, ...]]]:
    return [(dict(row.variables), row.tags) for row in preview.checked().inputs]


def test_columns_are_variables_and_tags_are_tags() -> None:
    preview = read(EMPTY, "question,tone,Tags\nWhy?,,short; de\nHow?,calm,\n")
    assert rows(preview) == [
        ({"question": "Why?", "tone": ""}, ("short", "de")),
        ({"question": "How?", "tone": "calm"}, ()),
    ]
    assert preview.notes == ("2 new inputs.",)
    assert preview.head[0] == {"question": "Why?", "tone": "", "tags": "short; de"}


def test_json_lines_may_lack_variables_that_no_prompt_needs() -> None:
    preview = read(
        EMPTY, '{"question": "Why?", "tags": ["a"]}\n{"question": "How?", "tone": "calm"}', "i.jsonl"
    )
    assert rows(preview) == [({"question": "Why?"}, ("a",)), ({"question": "How?", "tone": "calm"}, ())]


def test_a_missing_column_is_said_once_with_the_prompt_that_needs_it(contents: Contents) -> None:
    preview = read(contents, "frage\nWarum?\nWie?\n")
    assert preview.faults == (
        "There is no column 'question', which the prompt 'Terse' uses. Add the column or choose another "
        "file.",
    )
    assert preview.batch.inputs == ()


def test_a_row_without_a_needed_variable_is_named(contents: Contents) -> None:
    preview = read(contents, '{"question": "Why?"}\n{"frage": "Wie?"}', "i.jsonl")
    assert preview.faults == ("Line 2 has no 'question', which the prompt 'Terse' uses.",)


def test_every_fault_of_the_rows_is_listed() -> None:
    preview = read(EMPTY, f"question,tags\nWhy?,{'x' * 61}\n\0,\n ,x\nWhat?,\n")
    assert preview.faults == (
        "Row 3, column 'question' holds a NUL character (position 1).",
        f"Row 2: The tag '{'x' * 40}...' is too long: at most 60 characters are allowed.",
        "Row 4: An input needs at least one variable that is not empty.",
    )
    assert preview.batch.inputs == ()


def test_a_column_that_cannot_be_a_variable_is_named_once() -> None:
    preview = read(EMPTY, 'question,"a:b"\n1,2\n3,4\n')
    assert len(preview.faults) == 1
    assert preview.faults[0].startswith("Column 'a:b' cannot be a variable: ")


def test_rows_that_are_there_are_left_alone(contents: Contents) -> None:
    preview = read(contents, "question,tags\nWhy?,de;short\nWhat?,\nWhat?,\n")
    assert rows(preview) == [({"question": "What?"}, ())]
    assert preview.notes == (
        "1 row left out: repeated in the file.",
        "1 new input.",
        "1 input with other tags.",
    )
    (retagged,) = preview.checked().changes
    assert isinstance(retagged, Input)
    assert (retagged.id, retagged.tags) == ("in1", ("de", "short"))


def test_a_row_with_the_key_of_an_input_takes_its_place(contents: Contents) -> None:
    preview = read(contents, "key,question\nq2,How then?\n")
    assert rows(preview) == [({"key": "q2", "question": "How then?"}, ())]
    (retired,) = preview.checked().changes
    assert (retired.id, isinstance(retired, Input) and retired.retired_at) == ("in2", NOW)


def test_our_own_ids_are_no_variables(contents: Contents) -> None:
    preview = read(contents, "input_id,question\nin1,Why?\nnew,What?\n")
    assert rows(preview) == [({"input_id": "new", "question": "What?"}, ())]
    assert "1 input with other tags." in preview.notes


def test_one_key_on_two_rows_is_a_fault() -> None:
    preview = read(EMPTY, "id,question\n1,Why?\n1,How?\n")
    assert preview.faults == ("Row 3 has the key '1', and so has row 2.",)


def test_a_retired_input_comes_back_as_it_was(contents: Contents) -> None:
    retired = replace(contents, inputs=(replace(contents.inputs[0], retired_at=NOW),))
    preview = read(retired, "question,tags\nWhy?,short;de\n")
    assert list(preview.checked().changes) == [contents.inputs[0]]
    assert preview.notes == ("1 retired input restored.",)


def test_an_export_read_again_changes_nothing(extract: Extract) -> None:
    text = "".join(InputsTable().write(extract))
    preview = read(extract.contents, text)
    assert preview.faults == ()
    assert preview.notes[-1] == "1 row left out: there already."


def test_an_export_read_by_another_study_keeps_keys_for_its_outputs(extract: Extract) -> None:
    preview = read(EMPTY, "".join(InputsTable().write(extract)))
    first = preview.checked().inputs[0]
    assert dict(first.variables) == {"input_id": "in1", "question": "Why?", "key": ""}
    assert first.tags == ("short", "de")


@pytest.mark.parametrize("data", ["tags\na\n", "tags,question\na,\n"])
def test_tags_alone_are_no_input(data: str) -> None:
    assert read(EMPTY, data).faults == ("Row 2: An input needs at least one variable that is not empty.",)


def test_ids_are_not_made_up_by_a_file() -> None:
    preview = read(EMPTY, "input_id,question\nin1,Why?\n")
    assert preview.checked().inputs[0].id != InputId("in1")
