"""Outputs made elsewhere, long and wide: what is found, what is made, what is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.domain import Origin, Output, OutputId, Study, StudyId
from optimizer.errors import BadFile
from optimizer.formats.base import Choices, Contents, Extract, Preview, Upload
from optimizer.formats.outputs_long import OutputsLong
from optimizer.formats.outputs_wide import OutputsWide
from optimizer.formats.writing import csv_lines

NOW = datetime(2026, 3, 2, tzinfo=UTC)
EMPTY = Contents(Study(StudyId("study"), "Small"))
NO_NEW = Choices(create=False)


def long(contents: Contents, data: str, choices: Choices | None = None, name: str = "o.csv") -> Preview:
    return OutputsLong().read(Upload(name, data.encode()), contents, choices or Choices(), NOW)


def wide(contents: Contents, data: str, choices: Choices | None = None, name: str = "o.csv") -> Preview:
    return OutputsWide().read(Upload(name, data.encode()), contents, choices or Choices(), NOW)


def told(contents: Contents, preview: Preview) -> list[tuple[str, str, str, int]]:
    """The outputs of a preview as (prompt, question, text, sample)."""
    batch = preview.checked()
    prompts = {prompt.id: prompt.name for prompt in (*contents.prompts, *batch.prompts)}
    inputs = {row.id: row.variables["question"] for row in (*contents.inputs, *batch.inputs)}
    return [(prompts[o.prompt], inputs[o.input], o.text, o.sample) for o in batch.outputs]


@pytest.fixture
def bare(contents: Contents) -> Contents:
    """The study before it had outputs."""
    return replace(contents, outputs=())


# -- the long table ---------------------------------------------------------------------------
def test_a_long_table_fills_an_empty_study() -> None:
    data = "prompt,question,output\nTerse,Why?,Because.\nWarm,Why?,Dear you.\nterse,How?,So.\n"
    preview = long(EMPTY, data)
    assert told(EMPTY, preview) == [
        ("Terse", "Why?", "Because.", 0),
        ("Warm", "Why?", "Dear you.", 0),
        ("Terse", "How?", "So.", 0),
    ]
    assert [(p.name, p.text, p.origin) for p in preview.batch.prompts] == [
        ("Terse", "", Origin.IMPORTED),
        ("Warm", "", Origin.IMPORTED),
    ]
    assert preview.notes == (
        "3 new outputs.",
        "2 new prompts: 'Terse', 'Warm'.",
        "2 new prompts without a text (column 'prompt_text'): their outputs can be compared all the same.",
        "2 new inputs, with the variables 'question'.",
    )


def test_inputs_are_found_by_id_by_key_and_by_variables(bare: Contents) -> None:
    data = "prompt,input_id,question,output\nTerse,in1,,a\nTerse,q2,,b\n=Warm,,Why?,c\n".replace(
        "=Warm", "'=Warm"
    )
    preview = long(
        bare, data.replace("question,", "").replace(",,", ",").replace("'=Warm,Why?", "'=Warm,in1")
    )
    assert [(o.input, o.text) for o in preview.checked().outputs] == [
        ("in1", "a"),
        ("in2", "b"),
        ("in1", "c"),
    ]
    by_variables = long(bare, "prompt,question,output\nTerse,Why?,a\n")
    assert [o.input for o in by_variables.checked().outputs] == ["in1"]
    assert by_variables.notes == ("1 new output.",)


def test_new_inputs_are_met_again_within_the_file() -> None:
    preview = long(EMPTY, "prompt,input_id,question,output\nA,x,Why?,1\nB,x,Why?,2\nC,x,Why?,3\n")
    assert [dict(row.variables) for row in preview.checked().inputs] == [
        {"input_id": "x", "question": "Why?"}
    ]
    assert len(preview.checked().outputs) == 3


def test_optional_columns_are_kept() -> None:
    preview = long(
        EMPTY,
        "prompt,prompt_text,question,tags,sample,model,output\n"
        "A,Say {{question}},Why?,x;y,1,gpt,one\nA,Say {{question}},Why?,,0,gpt,two\n",
    )
    batch = preview.checked()
    assert batch.prompts[0].text == "Say {{question}}"
    assert batch.inputs[0].tags == ("x", "y")
    assert [(o.sample, o.model, o.text) for o in batch.outputs] == [(1, "gpt", "one"), (0, "gpt", "two")]


def test_a_score_comes_in_and_goes_out_again_and_must_be_a_number(bare: Contents) -> None:
    made = long(bare, "prompt,question,score,output\nTerse,Why?,0.25,a\nTerse,How?,,b\n").checked()
    assert [output.settings for output in made.outputs] == [{"score": 0.25}, {}]
    with pytest.raises(BadFile, match=r"Row 2.*'score'.*'good', not a number"):
        long(bare, "prompt,question,score,output\nTerse,Why?,good,a\n").checked()
    contents = replace(bare, inputs=[*bare.inputs, *made.inputs], outputs=made.outputs)
    lines = "".join(OutputsLong().write(Extract(contents))).splitlines()
    assert [line.split(",")[-2:] for line in lines] == [["score", "output"], ["0.25", "a"], ["", "b"]]


def test_columns_that_are_no_variables_are_left_out(bare: Contents) -> None:
    preview = long(bare, "prompt,question,seconds,output\nTerse,Why?,3,a\n")
    assert preview.checked().inputs == []
    assert preview.notes[-1] == "Column 'seconds' is no variable of this study's inputs: left out."


def test_a_file_in_which_no_two_outputs_meet_is_doubted() -> None:
    preview = long(EMPTY, "prompt,question,ms,output\nA,Why?,12,a\nB,Why?,15,b\n")
    assert preview.notes[-1].startswith("No two outputs are on the same input.")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("prompt,question\nTerse,Why?\n", "There is no column 'output'. The header is: prompt, question."),
        ("question,output\nWhy?,x\n", "There is no column 'prompt'. The header is: question, output."),
        (
            "prompt,output\nTerse,x\n",
            "Nothing says which input a row belongs to: add a column input_id or variables.",
        ),
        ("prompt,input_id,output\nTerse,,x\n", "Row 2 does not say which input it belongs to."),
        (
            "prompt,input_id,output\nOld,in1,x\n",
            "Row 2, column 'prompt' names 'Old', which is retired. Restore that prompt first.",
        ),
        ("prompt,input_id,output\n ,in1,x\n", "Row 2, column 'prompt': A prompt needs a name."),
        (
            "prompt,input_id,output\nTerse,in9,x\n",
            "Row 2, column 'input_id' names the input 'in9', which this study does not have. Add its "
            "variables as columns, or import the inputs first.",
        ),
        (
            "prompt,input_id,question,output\nTerse,in1,How?,x\n",
            "Row 2, column 'input_id' says another 'question' than the input 'in1' has.",
        ),
        (
            "prompt,prompt_text,input_id,output\nTerse,other,in1,x\n",
            "Row 2, column 'prompt' gives the prompt 'Terse' another text than it has.",
        ),
        (
            "prompt,prompt_text,input_id,output\nNew,{{tone}},in1,x\n",
            "Row 2, column 'prompt' brings a prompt that an input cannot fill: it has no 'tone', which the "
            "prompt 'New' uses.",
        ),
        (
            "prompt,input_id,sample,output\nTerse,in1,one,x\n",
            "Row 2, column 'sample' holds 'one', not a whole number from 0.",
        ),
        (
            "prompt,input_id,output\nTerse,in1,x\nTerse,in1,y\n",
            "Row 3 brings another output of 'Terse' on this input than the one given in row 2. Outputs are "
            "never replaced; if it is a repeat, number the repeats in a column 'sample' from 0.",
        ),
        (
            '{"prompt": "Terse", "input_id": "in1"}\n{"prompt": "Terse", "input_id": "in1", "output": "x"}',
            "Line 1 has no 'output'.",
        ),
    ],
)
def test_a_fault_in_a_long_table_is_named(bare: Contents, data: str, fault: str) -> None:
    preview = long(bare, data, name="o.jsonl" if data.startswith("{") else "o.csv")
    assert preview.faults == (fault,)


def test_nothing_is_made_when_that_is_not_wanted(bare: Contents) -> None:
    preview = long(bare, "prompt,question,output\nTersee,Why?,a\nTerse,What?,b\n", NO_NEW)
    assert preview.faults == (
        "Row 2, column 'prompt' names the prompt 'Tersee', which this study does not have (did you mean "
        "'Terse'?).",
        "Row 3 has variables that no input of this study has.",
    )


def test_a_new_input_must_fill_the_prompts_in_use(bare: Contents) -> None:
    preview = long(bare, "prompt,frage,output\nTerse,Warum?,a\n")
    assert preview.faults == (
        "Row 2 has no 'question', which the prompt 'Terse' uses. Add that column, or import under input_id.",
    )


def test_an_ambiguous_row_is_refused(bare: Contents) -> None:
    twins = replace(
        bare,
        inputs=tuple(
            replace(bare.inputs[0], id=id, variables={"question": "Why?", "tone": tone})
            for id, tone in (("a", "calm"), ("b", "loud"))
        ),
    )
    (fault,) = long(twins, "prompt,question,output\nTerse,Why?,x\n").faults
    assert fault == "Row 2 fits 2 inputs of this study. Add a column input_id, or more variables."


def test_importing_twice_changes_nothing(contents: Contents) -> None:
    preview = long(contents, "prompt,input_id,output\nTerse,in1,Because.\nTerse,in2,\n")
    assert preview.checked().outputs == []
    assert preview.notes == (
        "0 new outputs.",
        "1 empty output left out.",
        "1 output left out: there already.",
    )


def test_an_output_is_never_replaced(contents: Contents) -> None:
    (fault,) = long(contents, "prompt,input_id,output\nTerse,in1,Since.\n").faults
    assert "than the one in the study. Outputs are never replaced" in fault
    preview = long(contents, "prompt,input_id,sample,output\nTerse,in1,1,Since.\n")
    assert [o.sample for o in preview.checked().outputs] == [1]


def test_a_failed_output_makes_room_for_a_good_one(bare: Contents) -> None:
    failed = Output(
        OutputId("bad"), bare.study.id, bare.prompts[0].id, bare.inputs[0].id, "", error="timed out"
    )
    preview = long(replace(bare, outputs=(failed,)), "prompt,input_id,output\nTerse,in1,Because.\n")
    assert [(o.sample, o.text) for o in preview.checked().outputs] == [(1, "Because.")]


def test_an_export_of_outputs_can_be_read_by_another_study(extract: Extract) -> None:
    text = "".join(OutputsLong().write(extract))
    assert long(extract.contents, text).notes == ("0 new outputs.", "4 outputs left out: there already.")
    preview = long(EMPTY, text)
    assert [(p.name) for p in preview.checked().prompts] == ["Terse", "=Warm"]
    assert [o.text for o in preview.checked().outputs] == [o.text for o in extract.contents.outputs]


# -- the wide table ---------------------------------------------------------------------------
def test_prompts_of_the_study_head_columns(bare: Contents) -> None:
    preview = wide(bare, "question;terse;'=Warm\nWhy?;a;b\nWhat?;c;\n")
    assert told(bare, preview) == [
        ("Terse", "Why?", "a", 0),
        ("=Warm", "Why?", "b", 0),
        ("Terse", "What?", "c", 0),
    ]
    assert "1 empty output left out." in preview.notes


def test_marked_columns_are_new_prompts() -> None:
    preview = wide(EMPTY, "question,output: A,Output:B\nWhy?,a,b\n")
    assert told(EMPTY, preview) == [("A", "Why?", "a", 0), ("B", "Why?", "b", 0)]


def test_a_person_may_say_which_columns_hold_outputs() -> None:
    preview = wide(EMPTY, "question,A,B\nWhy?,a,b\n", Choices(prompt_columns=("A", "B")))
    assert told(EMPTY, preview) == [("A", "Why?", "a", 0), ("B", "Why?", "b", 0)]


def test_wide_json_lines_may_lack_outputs(bare: Contents) -> None:
    preview = wide(
        bare, '{"input_id": "in1", "Terse": "a"}\n{"input_id": "q2", "=Warm": "b"}', name="o.jsonl"
    )
    assert [(o.prompt, o.input, o.text) for o in preview.checked().outputs] == [
        ("terse", "in1", "a"),
        ("warm", "in2", "b"),
    ]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (
            "question,Terse,Tersee\nWhy?,a,b\n",
            "Column 'Tersee' is neither a prompt nor a variable of this study. If it holds outputs, head it "
            "'output: Tersee'.",
        ),
        (
            "question,key\nWhy?,\n",
            "No column is headed by a prompt's name. Write 'output: NAME' in its header.",
        ),
        ("Terse\na\n", "Nothing says which input a row belongs to: add a column input_id or variables."),
        ("question,Old\nWhy?,a\n", "Column 'Old' names 'Old', which is retired. Restore that prompt first."),
        ("input_id,Terse\n,a\n", "Row 2 does not say which input it belongs to."),
    ],
)
def test_a_fault_in_a_wide_table_is_named(bare: Contents, data: str, fault: str) -> None:
    assert wide(bare, data).faults == (fault,)


def test_a_variable_and_a_prompt_of_one_name_stay_apart(bare: Contents) -> None:
    named = replace(bare, prompts=(replace(bare.prompts[0], name="question"), *bare.prompts[1:]))
    preview = wide(named, "question,output: question\nWhy?,a\n")
    assert [(o.prompt, o.input) for o in preview.checked().outputs] == [("terse", "in1")]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=10).filter(
    str.strip
)


@settings(deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from("ABC"), TEXT), TEXT, min_size=1, max_size=8))
def test_long_and_wide_tables_say_the_same(outputs: dict[tuple[str, str], str]) -> None:
    questions = list(dict.fromkeys(question for _, question in outputs))
    as_long = "".join(
        csv_lines(["prompt", "question", "output"], [(p, q, text) for (p, q), text in outputs.items()])
    )
    columns = ["question", *(f"output: {p}" for p in "ABC")]
    as_wide = "".join(csv_lines(columns, [[q, *(outputs.get((p, q), "") for p in "ABC")] for q in questions]))
    expected = sorted((p, q, text, 0) for (p, q), text in outputs.items())
    assert sorted(told(EMPTY, long(EMPTY, as_long))) == expected
    assert sorted(told(EMPTY, wide(EMPTY, as_wide))) == expected
