import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import BadInput
from optimizer.templates import is_variable_name, own_words, render, variables_of

NAMES = st.text(st.characters(categories=("L", "N"), include_characters="_-. "), min_size=1, max_size=20).map(
    lambda text: text.strip() or "x"
)


def test_a_template_is_filled_in() -> None:
    text = "Answer {{ email }} in a {{tone}} tone. {{email}}!"
    assert variables_of(text) == ("email", "tone")
    assert render(text, {"email": "Hi", "tone": "calm", "unused": "-"}) == "Answer Hi in a calm tone. Hi!"


def test_what_a_template_says_itself_leaves_out_its_variables_and_nothing_else() -> None:
    assert own_words("Answer {{ email }} in {{tone}}.") == ["Answer ", " in ", "."]
    assert own_words('{"a": {{"b"}}, {{  }}}') == ['{"a": {{"b"}}, {{  }}}']  # braces that name no variable


def test_blanks_and_line_breaks_around_a_name_do_not_matter() -> None:
    assert render("{{a}}{{ a }}{{\ta\n}}", {"a": "1"}) == "111"


def test_names_may_hold_blanks_dots_and_letters_of_any_language() -> None:
    assert (
        render(
            "{{customer email}}{{user.name}}{{größe}}",
            {"customer email": "a", "user.name": "b", "größe": "c"},
        )
        == "abc"
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": 1}}',
        '{{"a": 1}}',
        '[{"x": [1, 2, {"y": {}}]}]',
        "{a} { b } {{}} {{ }} }}{{",
        "style={{color: red}}",
        "{{'a': 1}}",
        "{{" + "x" * 300 + "}}",
        "{{ first\nsecond }}",
    ],
)
def test_braces_that_hold_no_name_are_text(text: str) -> None:
    assert variables_of(text) == ()
    assert render(text, {"a": "!"}) == text


def test_json_around_a_variable_is_kept() -> None:
    assert (
        render('{"answer": "{{a}}", "n": {{{n}}}}', {"a": "yes", "n": "1"}) == '{"answer": "yes", "n": {1}}'
    )


def test_values_are_put_in_once() -> None:
    assert render("{{a}} {{b}}", {"a": "{{b}}", "b": "{{a}}"}) == "{{b}} {{a}}"


def test_an_unknown_name_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(
        BadInput, match=r"\{\{qestion\}\}.*Did you mean \{\{question\}\}\?.*\{\{question\}\}, \{\{tone\}\}"
    ):
        render("{{qestion}}", {"question": "", "tone": ""})


def test_without_any_variables_the_error_says_so() -> None:
    with pytest.raises(BadInput, match="no variables at all"):
        render("{{x}}", {})


@pytest.mark.parametrize("name", ["email.__class__", "email[0]", "email|upper", "email.upper()", "#if email"])
def test_a_name_reaches_nothing_but_a_variable_of_that_name(name: str) -> None:
    with pytest.raises(BadInput, match="is not a variable here"):
        render(f"{{{{{name}}}}}", {"email": "text"})


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.text(), min_size=1, max_size=5))
def test_every_variable_appears_as_its_value(variables: dict[str, str]) -> None:
    text = "|".join(f"{{{{{name}}}}}" for name in variables)
    assert variables_of(text) == tuple(variables)
    assert render(text, variables) == "|".join(variables.values())


@settings(deadline=None)
@given(st.text())
def test_text_without_double_braces_is_left_alone(text: str) -> None:
    if "{{" not in text:
        assert render(text, {}) == text


@settings(deadline=None)
@given(st.text())
def test_names_found_are_names(text: str) -> None:
    assert all(is_variable_name(name) for name in variables_of("{{" + text + "}}"))


def test_a_long_hostile_template_is_read_quickly() -> None:
    assert variables_of("{{ a " * 200_000) == ()
    assert variables_of("{{" + " " * 1_000_000) == ()
