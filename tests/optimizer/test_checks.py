import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.checks import (
    MAX_TEXT,
    check_template,
    check_text,
    check_variables,
    clean_name,
    clean_tags,
    free_name,
    unfilled,
)
from optimizer.domain import Input, InputId, Prompt, PromptId, StudyId, utc_now
from optimizer.errors import BadInput

STUDY = StudyId("s")


def test_a_name_loses_its_outer_blanks() -> None:
    assert clean_name("prompt", "  Terse ") == "Terse"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "A prompt needs a name"),
        ("   ", "A prompt needs a name"),
        ("x" * 201, "201 characters"),
        ("two\nlines", "line break"),
        ("nul\0", "line break or a control character"),
        ("half \ud800", "half a character"),
    ],
)
def test_a_bad_name_is_refused_with_the_reason(raw: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        clean_name("prompt", raw)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a" * (MAX_TEXT + 1), "2,000,001 characters"),
        ("ab\0", r"NUL character \(position 3\)"),
        ("\udfff", "half a character"),
    ],
)
def test_a_text_that_cannot_be_stored_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"The output .*{said}"):
        check_text("output", text)


def test_variables_need_names_that_templates_can_use() -> None:
    with pytest.raises(BadInput, match=r"'a:b' cannot be the name"):
        check_variables({"a:b": "x"})


def test_a_row_of_blanks_is_no_input() -> None:
    with pytest.raises(BadInput, match="at least one variable"):
        check_variables({"a": " ", "b": ""})


def test_tags_are_split_stripped_and_kept_once() -> None:
    assert clean_tags(" a; b,a ;; c d\n") == ("a", "b", "c d")
    assert clean_tags(["x", " x ", "y"]) == ("x", "y")


def test_a_tag_in_a_list_must_not_hold_a_separator() -> None:
    with pytest.raises(BadInput, match="comma"):
        clean_tags(["a,b"])


def _input(variables: dict[str, str], retired: bool = False) -> Input:
    return Input(InputId("i"), STUDY, variables, retired_at=utc_now() if retired else None)


def test_a_template_must_fit_every_input_in_use() -> None:
    full, partial = _input({"a": "1", "b": "2"}), _input({"a": "1"})
    check_template("{{a}}", [full, partial])
    check_template("{{z}}", [])
    check_template("{{b}}", [full, _input({"a": "1"}, retired=True)])
    with pytest.raises(BadInput, match=r"\{\{b\}\}, which 1 of 2 inputs do not have"):
        check_template("{{b}}", [full, partial])
    with pytest.raises(BadInput, match=r"\{\{c\}\}.*Known are \{\{a\}\}, \{\{b\}\}"):
        check_template("{{c}}", [full, partial])


def test_only_prompts_in_use_ask_for_variables() -> None:
    prompt = Prompt(PromptId("p"), STUDY, "Terse", "{{a}} {{b}}")
    retired = Prompt(PromptId("q"), STUDY, "Old", "{{c}}", retired_at=utc_now())
    assert unfilled([prompt, retired], {"a": "", "b": ""}) == ""
    assert unfilled([prompt], {"a": ""}) == "has no 'b', which the prompt 'Terse' uses"


@pytest.mark.parametrize(
    ("name", "taken", "free"),
    [
        ("Terse", [], "Terse"),
        ("Terse", ["terse"], "Terse 2"),
        ("Terse 2", ["Terse", "Terse 2"], "Terse 3"),
        ("Terse", ["Terse", "Terse 2", "Terse 4"], "Terse 3"),
    ],
)
def test_a_free_name_counts_on(name: str, taken: list[str], free: str) -> None:
    assert free_name(name, taken) == free


@settings(deadline=None)
@given(st.text(min_size=1, max_size=200), st.lists(st.text(max_size=5)))
def test_a_free_name_is_free(name: str, others: list[str]) -> None:
    free = free_name(name, [name, *others])
    assert free.casefold() not in {other.casefold() for other in [name, *others]}
    assert len(free) <= 200
