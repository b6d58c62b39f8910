"""Prompts, inputs and outputs of other tools: promptfoo, OpenAI evals, AutoArena, SPO."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile

import pytest

from optimizer.domain import REASONS_AGAINST, REASONS_FOR, Study, StudyId
from optimizer.errors import BadFile, NotFound
from optimizer.formats import EXPORTERS, IMPORTERS
from optimizer.formats.base import Choices, Contents, Extract, Preview, Upload
from optimizer.formats.reading import yaml_of
from optimizer.formats.regression import ASKS

NOW = datetime(2026, 3, 2, tzinfo=UTC)
EMPTY = Contents(Study(StudyId("study"), "Elsewhere"))


def read(format: str, text: str, contents: Contents = EMPTY, name: str = "") -> Preview:
    upload = Upload(name or f"file.{IMPORTERS[format].suffixes[0]}", text.encode())
    return IMPORTERS[format].read(upload, contents, Choices(), NOW)


def prompts(preview: Preview) -> list[tuple[str, str]]:
    return [(prompt.name, prompt.text) for prompt in preview.checked().prompts]


def inputs(preview: Preview) -> list[tuple[dict[str, str], tuple[str, ...]]]:
    return [(dict(row.variables), row.tags) for row in preview.checked().inputs]


# -- promptfoo --------------------------------------------------------------------------------
CONFIG = """
description: Tweets about a topic.
prompts:
  - 'Write a tweet about {{topic}}'
  - label: Loud
    raw: |
      SHOUT about {{ topic }}.
      {"json": {"kept": 1}}
  - file://prompt2.txt
  - 'Write about {{ topic | upper }}'
  - '{% if topic %}Write{% endif %}'
providers: [openai:gpt-4o]
defaultTest:
  vars: {tone: calm}
  options: {provider: openai:gpt-4.1-mini}
tests:
  - description: optional
    vars: {topic: yes}
    assert:
      - {type: select-best, value: the funniest}
      - {type: llm-rubric, value: 'Is concise', threshold: 0.8}
    metadata: {category: food, tags: [sweet, cheap]}
  - vars: {topic: 007, tone: loud}
  - vars: {topic: [a, b]}
  - vars: {topic: file://secret.txt}
  - file://more.yaml
"""


def test_a_promptfoo_configuration_becomes_a_study() -> None:
    preview = read("promptfoo", CONFIG)
    assert prompts(preview) == [
        ("Write a tweet about {{topic}}", "Write a tweet about {{topic}}"),
        ("Loud", 'SHOUT about {{ topic }}.\n{"json": {"kept": 1}}\n'),
    ]
    assert inputs(preview) == [
        ({"tone": "calm", "topic": "yes"}, ("category: food", "sweet", "cheap")),
        ({"tone": "loud", "topic": "007"}, ()),
    ]
    assert preview.checked().studies[0].task == "Tweets about a topic."
    assert preview.notes[2:] == (
        "prompts[2] is left out: it names a file ('file://prompt2.txt'), which is not followed.",
        "prompts[3] is left out: it uses the Nunjucks expression {{topic | upper}}.",
        "prompts[4] is left out: it uses Nunjucks blocks ({% or {#).",
        "tests[2] is left out: its variable 'topic' is not one text.",
        "tests[3] is left out: its variable 'topic' names a file, which is not followed.",
        "tests[4] is left out: it is not written out here.",
        "2 assertions are left out.",
    )


def test_tests_in_a_file_are_not_followed() -> None:
    preview = read("promptfoo", "prompts: Say {{x}}\ntests: file://cases.csv\n")
    assert prompts(preview) == [("Say {{x}}", "Say {{x}}")]
    assert (
        "The tests are in a file of their own, which is not followed. Import it as inputs." in preview.notes
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "is no promptfoo configuration"),
        ("providers: [x]\n", "is no promptfoo configuration"),
        ("prompts: [\n", "is not YAML"),
        ("a: &a [*a, *a]\nprompts: {x\n", "is not YAML"),
        ("prompts: !!python/object/apply:os.system ['true']\n", "prompts"),
        ("[" * 5000, "nested too deeply"),
        ("a\x07: 1", "characters that YAML does not allow"),
    ],
)
def test_what_is_no_configuration_is_told(text: str, said: str) -> None:
    if "!!python" in text:
        assert prompts(read("promptfoo", text)) == [("true", "true")]  # a text like any other
        return
    with pytest.raises(BadFile, match=said):
        read("promptfoo", text)


def test_a_promptfoo_export_comes_back(extract: Extract) -> None:
    text = "".join(str(piece) for piece in EXPORTERS["promptfoo"].write(extract))
    preview = read("promptfoo", text)
    in_use = [prompt for prompt in extract.contents.prompts if prompt.retired_at is None]
    assert prompts(preview) == [(prompt.name, prompt.text) for prompt in in_use]
    assert inputs(preview) == [(dict(row.variables), row.tags) for row in extract.contents.inputs]


def result(index: int, topic: str, output: object, **more: object) -> dict[str, object]:
    labels = ["Write about {{topic}}", "short"]
    return {
        "promptIdx": index,
        "testIdx": 0,
        "success": True,
        "prompt": {"raw": f"Write about {topic}", "label": labels[index]},
        "provider": {"id": "openai:gpt-4o", "label": ""},
        "vars": {"topic": topic},
        "response": {"output": output},
        "latencyMs": 12,
    } | more


RESULTS = [
    result(0, "tea", "Tea is hot."),
    result(1, "tea", {"answer": "Hot."}),
    result(0, "ice", "Ice."),
    result(0, "ice", "Ice again."),
    result(1, "ice", None, error="timed out"),
]


@pytest.mark.parametrize(
    "document",
    [
        {
            "evalId": "e",
            "results": {
                "results": RESULTS,
                "prompts": [{"raw": "Write about {{topic}}"}, {"raw": "{{topic}}?"}],
            },
        },
        {
            "version": 3,
            "results": RESULTS,
            "prompts": [{"raw": "Write about {{topic}}"}, {"raw": "{{topic}}?"}],
        },
    ],
)
def test_promptfoo_results_become_outputs(document: dict[str, object]) -> None:
    preview = read("promptfoo-results", json.dumps(document))
    batch = preview.checked()
    assert prompts(preview) == [("Write about {{topic}}", "Write about {{topic}}"), ("short", "{{topic}}?")]
    assert [row.variables for row in batch.inputs] == [{"topic": "tea"}, {"topic": "ice"}]
    assert [(o.text, o.sample, o.model) for o in batch.outputs] == [
        ("Tea is hot.", 0, "openai:gpt-4o"),
        ('{"answer": "Hot."}', 0, "openai:gpt-4o"),
        ("Ice.", 0, "openai:gpt-4o"),
        ("Ice again.", 1, "openai:gpt-4o"),
    ]
    assert preview.notes[-1] == "1 result left out: an error, or no output."


def test_two_providers_make_two_prompts_of_one() -> None:
    rows = [result(0, "tea", "a"), result(0, "tea", "b", provider="local")]
    preview = read("promptfoo-results", json.dumps({"results": rows}))
    assert [name for name, _ in prompts(preview)] == [
        "Write about {{topic}} [openai:gpt-4o]",
        "Write about {{topic}} [local]",
    ]


def test_another_json_is_no_promptfoo_result() -> None:
    with pytest.raises(BadFile, match="holds no promptfoo results"):
        read("promptfoo-results", '{"results": {"stats": {}}}')


def test_promptfoo_tests_become_inputs(contents: Contents) -> None:
    text = "question,__expected,__metadata:topic,__description\nWhat?,contains: x,tea,d\nWhy?,,,\n"
    preview = read("promptfoo-tests", text, contents)
    assert inputs(preview) == [({"question": "What?"}, ("topic: tea",))]
    good = '{"vars": {"question": "When?"}, "assert": [], "metadata": {"kind": "time"}}'
    lines = good + '\n{"vars": {"question": ["a"]}}'
    preview = read("promptfoo-tests", lines, contents, "t.jsonl")
    assert inputs(preview) == [({"question": "When?"}, ("kind: time",))]
    assert preview.notes[-1] == "Line 2 is left out: its variable 'question' is not one text."


def test_a_test_that_no_prompt_can_be_filled_from_is_a_fault(contents: Contents) -> None:
    (fault,) = read("promptfoo-tests", "topic\ntea\n", contents).faults
    assert fault.startswith("Row 2 has no 'question', which the prompt 'Terse' uses")


# -- the winner as a test -----------------------------------------------------------------------
def test_every_reason_has_an_assertion() -> None:
    assert set(ASKS) == {*REASONS_FOR, *REASONS_AGAINST}


def test_reasons_for_the_loser_and_against_the_winner_ask_nothing(extract: Extract) -> None:
    first = next(iter(extract.ballots))
    vote = replace(first.vote, first_reasons=("incorrect",), second_reasons=("creative",))
    odd = replace(extract, ballots=[replace(first, vote=vote)])
    config = yaml_of("".join(str(p) for p in EXPORTERS["promptfoo-winner"].write(odd)), "it")
    assert config["defaultTest"]["assert"] == [{"type": "javascript", "value": "output.trim().length > 0"}]


def test_no_winner_no_test(extract: Extract) -> None:
    with pytest.raises(NotFound, match="No prompt with a text leads yet"):
        EXPORTERS["promptfoo-winner"].write(replace(extract, find_winner=lambda: None))


# -- OpenAI evals -------------------------------------------------------------------------------
def test_evals_samples_become_inputs() -> None:
    rows = [
        {"input": "2+2=", "ideal": "4"},
        {"input": [{"role": "user", "content": "3+3="}], "ideal": ["6", "six"], "kind": "sum"},
        {"input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
    ]
    preview = read("openai-evals", "\n".join(map(json.dumps, rows)))
    assert [variables for variables, _ in inputs(preview)] == [
        {"input": "2+2=", "ideal": "4"},
        {"input": "3+3=", "ideal": "6\nsix", "kind": "sum"},
        {"input": "system: Be brief.\n\nuser: Hi"},
    ]


def test_a_sample_without_an_input_is_a_fault() -> None:
    faults = read("openai-evals", '{"ideal": "4"}\n{"input": [{"role": "user"}]}').faults
    assert faults == (
        "Line 1 has no 'input' that is a text or a list of messages.",
        "Line 2 has messages whose content is not a text.",
    )
    assert read("openai-evals", "{}", name="e.jsonl").faults


# -- AutoArena ----------------------------------------------------------------------------------
def test_responses_of_a_model_are_the_outputs_of_one_prompt(contents: Contents) -> None:
    plain = replace(contents, inputs=contents.inputs[:1], outputs=())
    preview = read("autoarena", "prompt,response\nWhy?,So.\nWhat?,That.\n", plain, "my-model.csv")
    assert prompts(preview) == [("my-model", "")]
    assert inputs(preview) == [({"question": "What?"}, ())]
    assert next((o.input, o.text) for o in preview.checked().outputs) == ("in1", "So.")
    assert read("autoarena", "a,b\n1,2\n").faults[0] == "There is no column 'prompt'. The header is: a, b."


def test_outputs_go_out_as_one_csv_per_prompt(extract: Extract) -> None:
    data = b"".join(
        piece if isinstance(piece, bytes) else b"" for piece in EXPORTERS["autoarena"].write(extract)
    )
    with ZipFile(BytesIO(data)) as archive:
        assert archive.namelist() == ["Terse.csv", "_Warm.csv"]
        text = archive.read("Terse.csv").decode("utf-8-sig")
    assert text == 'prompt,response\r\nWhy?,Because.\r\n"How, ""then""?\nTell.",\'=SUM(A1)\r\n'


# -- SPO ----------------------------------------------------------------------------------------
TEMPLATE = """
prompt: |
  Please solve the following problem.
requirements: |
  Must put the final answer at the end with XML.
count: None
qa:
  - question: |
      1+1?
    answer: |
      2
  - question: 2+2?
    answer: None
"""


def test_an_spo_template_becomes_a_study() -> None:
    preview = read("spo", TEMPLATE)
    assert prompts(preview) == [("Start", "Please solve the following problem.\n\n{{question}}")]
    assert [variables for variables, _ in inputs(preview)] == [
        {"question": "1+1?", "answer": "2"},
        {"question": "2+2?"},
    ]
    assert preview.checked().studies[0].criteria == "Must put the final answer at the end with XML."
    counted = read(
        "spo", TEMPLATE.replace("count: None", "count: 50").replace("requirements: |\n  Must", "x: |\n  Must")
    )
    assert counted.checked().studies[0].criteria == "At most 50 words."


def test_an_spo_template_needs_a_prompt_and_questions() -> None:
    with pytest.raises(BadFile, match="it has no 'prompt'"):
        read("spo", "qa: []\n")
    assert read("spo", "prompt: x\nqa: [{answer: 2}]\n").faults == ("qa[0] has no question.",)


def test_the_rounds_of_a_run_are_a_line_of_descent_and_succeed_is_not_believed() -> None:
    rounds = [
        {"round": 1, "prompt": "a", "succeed": True, "answers": [{"question": "1+1?", "answer": "2"}]},
        {"round": 2, "prompt": "b", "succeed": False, "answers": [{"question": "1+1?", "answer": "two"}]},
        {"round": 3, "prompt": "c", "succeed": True, "answers": []},
    ]
    preview = read("spo-results", json.dumps(rounds))
    batch = preview.checked()
    first, second, third = batch.prompts
    assert [prompt.name for prompt in batch.prompts] == ["Round 1", "Round 2", "Round 3"]
    assert (first.parent, second.parent, third.parent) == (None, first.id, second.id)
    assert [(o.prompt, o.text) for o in batch.outputs] == [(first.id, "2"), (second.id, "two")]
    assert batch.votes == ()
    with pytest.raises(BadFile, match="holds no SPO rounds"):
        read("spo-results", "{}")
