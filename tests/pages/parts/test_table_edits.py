"""What a table editor reports becomes rows."""

from optimizer.domain import Input, InputId, StudyId
from optimizer.inputs_table import InputRow
from pages.parts.table_edits import TAGS, any_of, rows

STUDY = StudyId("s")
ONE = Input(InputId("1"), STUDY, {"text": "one", "mood": "calm"}, ("short",))
TWO = Input(InputId("2"), STUDY, {"text": "two"})


def test_untouched_rows_stay_as_they_are() -> None:
    assert rows([ONE, TWO], ["text", "mood"], {}) == [
        InputRow(ONE.variables, ("short",), ONE.id),
        InputRow(TWO.variables, (), TWO.id),
    ]


def test_an_edit_changes_its_cell_and_keeps_who_the_row_was() -> None:
    (row,) = rows([ONE], ["text", "mood"], {"edited_rows": {0: {"text": "uno"}}})
    assert row == InputRow({"text": "uno", "mood": "calm"}, ("short",), ONE.id)


def test_an_emptied_cell_is_an_empty_text_but_a_variable_never_there_stays_away() -> None:
    edits = {"edited_rows": {0: {"mood": None}, 1: {"mood": None}}}
    one, two = rows([ONE, TWO], ["text", "mood"], edits)
    assert one.variables == {"text": "one", "mood": ""}
    assert two.variables == {"text": "two"}


def test_places_count_from_the_table_as_shown_even_when_rows_are_deleted() -> None:
    (row,) = rows([ONE, TWO], ["text"], {"deleted_rows": [0], "edited_rows": {1: {"text": "dos"}}})
    assert row == InputRow({"text": "dos"}, (), TWO.id)


def test_added_rows_have_every_column_and_blank_ones_are_left_out() -> None:
    edits = {"added_rows": [{"text": "three", TAGS: "long, hard; long"}, {}, {"text": "  "}]}
    assert rows([], ["text", "mood"], edits) == [
        InputRow({"text": "three", "mood": ""}, ("long", "hard"), None)
    ]


def test_tags_are_edited_and_emptied() -> None:
    (row,) = rows([ONE], ["text"], {"edited_rows": {0: {TAGS: None}}})
    assert row.tags == ()


def test_numbers_typed_into_a_table_are_texts() -> None:
    (row,) = rows([], ["text"], {"added_rows": [{"text": 12}]})
    assert row.variables == {"text": "12"}


def test_any_edit_counts() -> None:
    assert not any_of({"edited_rows": {}, "added_rows": [], "deleted_rows": []})
    assert any_of({"deleted_rows": [0]})
    assert any_of({"added_rows": [{}]})
