"""The inputs screen."""

from optimizer.inputs_table import InputRow
from pages.parts.table_edits import TAGS
from tests.pages.visitor import Visitor

SCREEN = "host/inputs.py"


def in_use(visitor, study):
    return [row for row in visitor.services.store.inputs(study.id) if row.retired_at is None]


def edit(visitor, at, **edits):
    """What the table editor would report."""
    at.session_state[at.data_editor[0].key] = {
        "edited_rows": {},
        "added_rows": [],
        "deleted_rows": [],
    } | edits
    return visitor.run()


def test_an_empty_study_offers_the_columns_that_its_prompts_use(visitor: Visitor) -> None:
    study = visitor.study(["Terse"])
    at = visitor.go(SCREEN, study)
    assert "no inputs yet" in visitor.shown()
    assert list(at.data_editor[0].value.columns) == [TAGS, "text"]
    edit(visitor, at, added_rows=[{"text": "first", TAGS: "easy, short"}, {}])
    assert "Save: 1 new" in visitor.shown()
    visitor.click("save")
    (row,) = in_use(visitor, study)
    assert (row.variables, row.tags) == ({"text": "first"}, ("easy", "short"))


def test_nothing_is_saved_before_save_and_the_summary_says_what_will_be(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two", "three"], outputs=True)
    at = visitor.go(SCREEN, study)
    before = visitor.services.store.inputs(study.id)
    edit(visitor, at, edited_rows={0: {"text": "uno"}, 1: {TAGS: "odd"}}, deleted_rows=[2])
    assert visitor.services.store.inputs(study.id) == before
    assert "Save: 1 new, 2 retired, 1 with other tags." in visitor.shown()
    assert "4 outputs of retired rows will no longer be shown." in visitor.shown()
    visitor.click("save")
    assert [(row.variables["text"], row.tags) for row in in_use(visitor, study)] == [
        ("two", ("odd",)),
        ("uno", ()),
    ]


def test_a_row_that_cannot_be_is_named_and_nothing_is_saved(visitor: Visitor) -> None:
    study = visitor.study([], ["one", "two"])
    at = visitor.go(SCREEN, study)
    before = visitor.services.store.inputs(study.id)
    edit(visitor, at, edited_rows={1: {"text": "one"}})
    assert "Row 2 has the same variables as row 1" in visitor.shown()
    visitor.click("save")
    assert "Row 2" in visitor.shown()
    assert visitor.services.store.inputs(study.id) == before


def test_an_edit_of_a_table_that_changed_meanwhile_is_refused(visitor: Visitor) -> None:
    study = visitor.study([], ["one"])
    at = visitor.go(SCREEN, study)
    edit(visitor, at, edited_rows={0: {"text": "uno"}})
    visitor.services.inputs.add(study.id, [InputRow({"text": "from elsewhere"})])
    visitor.click("save")
    assert "changed meanwhile" in visitor.shown()
    assert [row.variables["text"] for row in in_use(visitor, study)] == ["one", "from elsewhere"]


def test_a_column_can_be_added(visitor: Visitor) -> None:
    study = visitor.study([], ["one"])
    at = visitor.go(SCREEN, study)
    visitor.fill(new_column="mood")
    visitor.run()
    assert list(at.data_editor[0].value.columns) == [TAGS, "text", "mood"]
    edit(visitor, at, edited_rows={0: {"mood": "calm"}})
    visitor.click("save")
    assert [dict(row.variables) for row in in_use(visitor, study)] == [{"text": "one", "mood": "calm"}]


def test_a_file_is_looked_at_and_then_imported(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one"])
    at = visitor.go(SCREEN, study)
    at.session_state["inputs_tab"] = "Upload"
    visitor.run()
    at.file_uploader(key="inputs_file_0").upload(
        "rows.csv", b"text,tags\none,\ntwo,a;b\nthree,\n", "text/csv"
    )
    visitor.run()
    assert "2 new inputs." in visitor.shown()
    assert "1 row left out: there already." in visitor.shown()
    assert list(at.dataframe[0].value["text"]) == ["one", "two", "three"]
    assert len(in_use(visitor, study)) == 1
    visitor.click("inputs_import")
    assert [row.variables["text"] for row in in_use(visitor, study)] == ["one", "two", "three"]
    assert in_use(visitor, study)[1].tags == ("a", "b")
    assert "Imported. 2 new inputs. 1 row left out: there already." in visitor.shown()
    assert not visitor.at.file_uploader  # the table is open, with what came
    at.session_state["inputs_tab"] = "Upload"
    visitor.run()
    assert not visitor.at.file_uploader[0].value  # ready for the next file


def test_faults_of_a_file_are_named_by_row_and_nothing_is_imported(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one"])
    at = visitor.go(SCREEN, study)
    at.session_state["inputs_tab"] = "Upload"
    visitor.run()
    file = b'{"text": "two"}\n{"other": "x"}\nnot json\n'
    at.file_uploader(key="inputs_file_0").upload("rows.jsonl", file, "application/jsonl")
    visitor.run()
    assert "Line 2 has no 'text', which the prompt 'Terse' uses" in visitor.shown()
    assert "Line 3 is not JSON" in visitor.shown()
    assert at.button(key="inputs_import").disabled
    assert len(in_use(visitor, study)) == 1


def test_a_file_that_is_no_table_gets_one_clear_sentence(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one"])
    at = visitor.go(SCREEN, study)
    at.session_state["inputs_tab"] = "Upload"
    visitor.run()
    at.file_uploader(key="inputs_file_0").upload("rows.csv", b"text\nTsch\xfc\xdf\n", "text/csv")
    visitor.run()
    assert "Line 2 of 'rows.csv' is not UTF-8" in visitor.shown()
    assert not [button for button in at.button if button.key == "inputs_import"]


def test_retired_rows_are_listed(visitor: Visitor) -> None:
    study = visitor.study([], ["one", "two"])
    visitor.services.inputs.retire(study.id, in_use(visitor, study)[0].id)
    at = visitor.go(SCREEN, study)
    assert "Retired inputs (1)" in [expander.label for expander in at.expander]
    assert at.button(key="restore").disabled


def test_long_tables_are_paged_and_saving_one_page_keeps_the_others(visitor: Visitor) -> None:
    study = visitor.study([], [f"row {number}" for number in range(205)])
    at = visitor.go(SCREEN, study)
    assert len(at.data_editor[0].value) == 200
    at.pagination[0].set_value(2)
    visitor.run()
    assert list(at.data_editor[0].value["text"]) == [f"row {number}" for number in range(200, 205)]
    assert list(at.data_editor[0].value.index)[:2] == [201, 202]
    edit(visitor, at, deleted_rows=[0], edited_rows={1: {TAGS: "x"}})
    visitor.click("save")
    rows = in_use(visitor, study)
    assert len(rows) == 204
    assert [row.variables["text"] for row in rows if row.tags] == ["row 201"]
    assert "row 200" not in {row.variables["text"] for row in rows}
