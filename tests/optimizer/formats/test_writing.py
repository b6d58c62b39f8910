import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.formats.writing import csv_lines, guarded, json_lines


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert guarded(f'{start}HYPERLINK("http://x","y")') == f'\'{start}HYPERLINK("http://x","y")'


@pytest.mark.parametrize("number", ["-5", "+3", "-0.25", "1e9", "-1.5E-10"])
def test_numbers_stay_numbers(number: str) -> None:
    assert guarded(number) == number


@pytest.mark.parametrize("text", ["", "plain", "a=b", " =x", "'quoted'", "5-3"])
def test_other_texts_are_left_alone(text: str) -> None:
    assert guarded(text) == text


@settings(deadline=None)
@given(st.text())
def test_no_cell_starts_like_a_formula(text: str) -> None:
    cell = guarded(text)
    number = cell[1:].replace(".", "").replace("e", "").replace("E", "").replace("+", "").replace("-", "")
    assert cell[:1] not in set("=@\t\r\n＝＋－＠")
    assert cell[:1] not in set("+-") or number.isdigit()


def test_csv_starts_with_a_mark_for_excel_and_guards_its_header() -> None:
    text = "".join(csv_lines(["a", "=b"], [["x", 1], [None, True], ["y", -2.5]]))
    assert text == "\ufeffa,'=b\r\nx,1\r\n,true\r\ny,-2.5\r\n"


def test_csv_comes_in_pieces() -> None:
    pieces = list(csv_lines(["a"], ([f"{'x' * 1000}"] for _ in range(500))))
    assert len(pieces) > 5
    assert "".join(pieces).count("\r\n") == 501


def test_json_lines_are_one_object_each_whatever_they_hold() -> None:
    assert list(json_lines([{"a": "x\ny\u2028ä"}, {"b": None}])) == ['{"a":"x\\ny\u2028ä"}\n', '{"b":null}\n']
