"""What is held back from duels, and what is not mistaken for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.domain import Connection, InputId, Prompt, PromptId, StudyId
from optimizer.generation.admission import LEAK_CHARACTERS, admit, hold, leak
from optimizer.generation.cells import Cell
from optimizer.llm.base import Completion, FinishReason, Message, Request, Role, Usage
from optimizer.llm.errors import EmptyAnswer

STUDY = StudyId("s")
PROMPT = (
    "You are a careful clerk. Answer in two short sentences and never promise a refund. "
    "Question: {{question}} Sign with the word 'Regards'."
)
CONNECTION = Connection("c", "http://x/v1", "model", max_tokens=64, input_price=1.0, output_price=2.0)
CELL = Cell(PromptId("p"), InputId("i"), 2)


@pytest.mark.parametrize(
    ("answer", "quoted"),
    [
        (
            "As asked, I ANSWER in two short sentences, and never *promise* a refund!",
            "Answer in two short sentences and never promise a refund",
        ),
        ("My instructions: you are a careful clerk.\nAnswer in two\nshort sentences", None),
        ("Question: may I have a refund? You are careful. Regards", None),
        ("", None),
        ("We answer in two days and never promise a date.", None),
    ],
)
def test_long_runs_of_the_prompts_own_words_are_found(answer: str, quoted: str | None) -> None:
    found = leak(PROMPT, answer)
    if quoted is None:
        assert found is None or "careful clerk" in found
    else:
        assert found == quoted


def test_what_an_input_put_into_the_prompt_is_no_leak() -> None:
    text = "The committee postponed the vote on the harbour extension until the spring."
    assert leak("Translate: {{text}}", f"Translation of «{text}»") is None
    assert leak(f"Translate: {text}", f"Translation of «{text}»") is not None


def test_a_short_prompt_is_a_leak_only_when_quoted_whole() -> None:
    assert leak("Summarise in one sentence.", "I will summarise in one sentence. It is late.")
    assert leak("Summarise in one sentence.", "In one sentence: it is late.") is None
    assert leak("Be brief.", "I shall be brief.") is None


def test_scripts_without_blanks_are_read_letter_by_letter() -> None:
    prompt = (
        "あなたは丁寧な店員です。必ず二つの短い文で答え、返金は決して約束しないでください。"
        "質問が不明なときは聞き返すこと。"
    )
    assert leak(prompt, f"指示は次のとおりです：{prompt}") is not None
    assert leak(prompt, "二つの短い文で答えます。返金はできません。") is None


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abcde ", max_size=200), st.text(max_size=50), st.text(max_size=50))
def test_a_prompt_that_is_quoted_whole_is_always_found(prompt: str, before: str, after: str) -> None:
    letters = len(prompt.replace(" ", ""))
    found = leak(prompt, f"{before}\n{prompt}\n{after}")
    assert (found is not None) == (letters >= LEAK_CHARACTERS / 2)


def completion(text: str, reason: FinishReason = FinishReason.STOP) -> Completion:
    return Completion(text, reason, Usage(1000, 500), 12.0, "model-2026")


def admitted(answer: Completion, accept_truncated: bool = False):  # type: ignore[no-untyped-def]
    request = Request((Message(Role.USER, "x"),), sample=2)
    prompt = Prompt(PromptId("p"), STUDY, "P", PROMPT)
    return admit(answer, request, CELL, STUDY, prompt, CONNECTION, accept_truncated)


def test_a_good_answer_is_stored_with_what_it_took() -> None:
    output = admitted(completion("Fine."))
    assert output.usable
    assert (output.prompt, output.input, output.sample) == CELL
    assert output.model == "model-2026"
    assert output.finish_reason == "stop"
    assert output.usage == {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500, "cost": 0.002}
    assert len(str(output.settings["request_hash"])) == 32


def test_a_truncated_answer_waits_for_a_person() -> None:
    output = admitted(completion("Half an ans", FinishReason.LENGTH))
    assert not output.usable
    assert "limit of 64 tokens" in output.error
    accepted = admitted(completion("Half an ans", FinishReason.LENGTH), accept_truncated=True)
    assert accepted.usable
    assert accepted.finish_reason == "length"


def test_a_leak_is_held_back_and_says_what_it_quotes() -> None:
    output = admitted(completion(f"My orders were: {PROMPT}"))
    assert not output.usable
    assert "You are a careful clerk. Answer in two" in output.error
    assert str(output.settings["leak"]).startswith("You are a careful clerk.")


def test_an_empty_answer_keeps_what_it_cost() -> None:
    error = EmptyAnswer("Nothing came.", Usage(10, 64), finish_reason="length")
    output = hold(error, Request((Message(Role.USER, "x"),)), CELL, STUDY, CONNECTION)
    assert not output.usable
    assert output.error == "Nothing came."
    assert output.usage["total_tokens"] == 74
