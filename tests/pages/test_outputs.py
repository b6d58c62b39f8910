"""The outputs screen."""

from optimizer.domain import Batch
from tests.pages.visitor import Visitor, output

SCREEN = "host/outputs.py"
TRIAL = b"prompt,text,output\nTerse,one,Terse says one\nNew,three,New says three\n"


def upload(visitor: Visitor, data: bytes, name: str = "outputs.csv") -> None:
    visitor.at.session_state["outputs_tab"] = "Upload"
    visitor.run()
    visitor.at.file_uploader(key="outputs_file_0").upload(name, data, "text/csv")
    visitor.run()


def test_an_empty_study_says_what_comes_first(visitor: Visitor) -> None:
    visitor.go(SCREEN, visitor.study())
    assert "no prompts yet" in visitor.shown()
    visitor.go(SCREEN, visitor.study(["Terse"]))
    assert "no inputs yet" in visitor.shown()


def test_the_grid_counts_marks_what_is_missing_and_what_failed(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two"])
    store = visitor.services.store
    terse, warm = store.prompts(study.id)
    one, two = store.inputs(study.id)
    store.add(
        Batch(
            outputs=[
                output(terse, one),
                output(terse, one, sample=1),
                output(warm, one, "Cut", error="cut off"),
                output(warm, two, "", error="timed out"),
            ]
        )
    )
    at = visitor.go(SCREEN, study)
    grid = at.dataframe[0].value
    assert list(grid[terse.id]) == ["2", "missing"]
    assert list(grid[warm.id]) == ["held back", "failed"]
    assert "2 outputs for 2 prompts × 2 inputs. 3 of 4 pairs have none. 2 outputs failed" in visitor.shown()


def test_only_inputs_with_gaps_are_shown_on_request(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one", "two"])
    store = visitor.services.store
    store.add(Batch(outputs=[output(store.prompts(study.id)[0], store.inputs(study.id)[0])]))
    at = visitor.go(SCREEN, study)
    assert len(at.dataframe[0].value) == 2
    at.toggle(key="gaps").set_value(True)
    visitor.run()
    assert list(at.dataframe[0].value["output_input"]) == ["2. two"]


def test_an_output_is_read_sample_by_sample(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two"])
    store = visitor.services.store
    warm, two = store.prompts(study.id)[1], store.inputs(study.id)[1]
    store.add(Batch(outputs=[output(warm, two, "first try"), output(warm, two, "second try", sample=1)]))
    at = visitor.go(SCREEN, study)
    assert "Terse has no output on this input" in visitor.shown()
    at.selectbox(key="output_prompt").set_value(warm.id)
    at.selectbox(key="output_input").set_value(two.id)
    visitor.run()
    assert "first try" in visitor.shown()
    at.pagination(key=f"sample_{warm.id}_{two.id}").set_value(2)
    visitor.run()
    assert "second try" in visitor.shown()
    assert "first try" not in visitor.shown()


def test_a_link_opens_its_cell(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two"], outputs=True)
    visitor.link(SCREEN, study, output_prompt="Warm", output_input="2. two")
    assert "Warm on two" in visitor.shown()


def test_an_output_that_failed_says_why(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one"])
    store = visitor.services.store
    store.add(
        Batch(outputs=[output(store.prompts(study.id)[0], store.inputs(study.id)[0], "", error="timed out")])
    )
    visitor.go(SCREEN, study)
    assert "This output failed: timed out" in visitor.shown()


def test_long_grids_are_paged(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], [f"row {number}" for number in range(120)])
    at = visitor.go(SCREEN, study)
    assert len(at.dataframe[0].value) == 50
    at.pagination[0].set_value(3)
    visitor.run()
    assert list(at.dataframe[0].value["output_input"])[-1] == "120. row 119"


def test_a_long_table_is_imported_with_what_it_brings(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one", "two"])
    visitor.go(SCREEN, study)
    upload(visitor, TRIAL)
    assert visitor.at.radio[0].value == "outputs-long"
    store = visitor.services.store
    assert not store.output_index(study.id)
    visitor.click("outputs_import")
    assert [prompt.name for prompt in store.prompts(study.id)] == ["Terse", "New"]
    assert [row.variables["text"] for row in store.inputs(study.id)] == ["one", "two", "three"]
    assert sorted(output.text for output in store.outputs(study.id)) == ["New says three", "Terse says one"]


def test_unknown_prompts_and_inputs_are_faults_unless_asked_for(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one", "two"])
    visitor.go(SCREEN, study)
    upload(visitor, TRIAL)
    toggle = next(toggle for toggle in visitor.at.toggle if str(toggle.key).startswith("outputs_create"))
    toggle.set_value(False)
    visitor.run()
    assert "Row 3" in visitor.shown()
    assert visitor.at.button(key="outputs_import").disabled
    assert not visitor.services.store.output_index(study.id)


def test_a_wide_table_is_recognised_and_columns_can_be_said_to_hold_outputs(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one", "two"])
    visitor.go(SCREEN, study)
    upload(visitor, b"text,Terse,Bold\none,T1,B1\ntwo,T2,B2\n")
    assert visitor.at.radio[0].value == "outputs-wide"
    assert "Column 'Bold' is neither a prompt nor a variable" in visitor.shown()
    columns = next(field for field in visitor.at.multiselect if str(field.key).startswith("outputs_columns"))
    columns.set_value(["Bold"])
    visitor.run()
    visitor.click("outputs_import")
    store = visitor.services.store
    assert sorted(output.text for output in store.outputs(study.id)) == ["B1", "B2", "T1", "T2"]
    assert [prompt.name for prompt in store.prompts(study.id)] == ["Terse", "Bold"]


def test_a_column_that_is_missing_is_named_and_nothing_is_imported(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one"])
    visitor.go(SCREEN, study)
    upload(visitor, b'{"prompt": "Terse", "text": "one"}\n', "outputs.jsonl")
    visitor.at.radio[0].set_value("outputs-long")
    visitor.run()
    assert "There is no column 'output'" in visitor.shown()
    assert visitor.at.button(key="outputs_import").disabled


def test_a_preview_is_not_stored_when_the_study_changed_since(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["one", "two"])
    visitor.go(SCREEN, study)
    upload(visitor, TRIAL)
    visitor.services.prompts.write(study.id, "From elsewhere", "{{text}}")
    visitor.click("outputs_import")
    assert "The study changed since this preview" in visitor.shown()
    assert not visitor.services.store.output_index(study.id)
