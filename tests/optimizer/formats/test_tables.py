"""Files as people really upload them, good and bad."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.checks import MAX_TEXT
from optimizer.errors import BadFile
from optimizer.formats.base import MAX_FAULTS, Faults, Upload
from optimizer.formats.tables import Table, read_table
from optimizer.formats.writing import csv_lines


def read(name: str, data: bytes | str, reserved: tuple[str, ...] = ()) -> tuple[Table, tuple[str, ...]]:
    faults = Faults()
    encoded = data.encode() if isinstance(data, str) else data
    return read_table(Upload(name, encoded), reserved, faults), faults.sentences()


def cells(table: Table) -> list[dict[str, str]]:
    return [dict(row.cells) for row in table.rows]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_every_dialect(bom: bytes, newline: str, delimiter: str) -> None:
    lines = [
        delimiter.join(["a", "b"]),
        delimiter.join(["1", '"x, ""y""; z"']),
        "",
        delimiter.join(["ä", ""]),
    ]
    table, faults = read("t.csv", bom + newline.join(lines).encode())
    assert faults == ()
    assert cells(table) == [{"a": "1", "b": 'x, "y"; z'}, {"a": "ä", "b": ""}]
    assert [row.where for row in table.rows] == ["Row 2", "Row 4"]


def test_line_breaks_inside_quotes_are_kept() -> None:
    table, faults = read("t.csv", 'a,b\n"one\r\ntwo",2\n3,4\n')
    assert (faults, table.rows[0].cells["a"], table.rows[1].where) == ((), "one\r\ntwo", "Row 3")


def test_known_columns_are_found_whatever_their_capitals() -> None:
    table, _ = read("t.csv", "Prompt, OUTPUT ,Tone\na,b,c\n", ("prompt", "output"))
    assert table.columns == ("prompt", "output", "Tone")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "'t.csv' is empty"),
        (b"\xef\xbb\xbf \r\n ", "'t.csv' is empty"),
        (b"a,b\n", "'t.csv' has no rows"),
        (b"a,b\n\n,,\n", "'t.csv' has no rows"),
        (
            b"a,b\n1,2\ncaf\xe9,3\n",
            "Line 3 of 't.csv' is not UTF-8: byte 0xE9, which is 'é' in Windows-1252. Save",
        ),
        ("a,b\n1,2\n".encode("utf-16"), "'t.csv' is in UTF-16"),
        (b"PK\x03\x04rest", "'t.csv' is an Excel workbook or a zip archive"),
        (b"%PDF-1.7", "'t.csv' is a PDF"),
        (b"a,b,a,b\n1,2,3,4\n", "Column 'a' stands twice in the header of 't.csv' (columns 1 and 3)."),
        (b"a,b,a,b\n1,2,3,4\n", "Column 'b' stands twice in the header of 't.csv' (columns 2 and 4)."),
    ],
)
def test_a_file_that_is_no_table_says_why_and_what_to_do(data: bytes, said: str) -> None:
    with pytest.raises(BadFile) as caught:
        read("t.csv", data)
    assert said in str(caught.value)


def test_columns_that_differ_by_capitals_alone_clash_when_they_are_known_ones() -> None:
    with pytest.raises(BadFile, match="Column 'output' stands twice"):
        read("t.csv", "Output,output\n1,2\n", ("output",))


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (
            "a,b\n1\n2,3\n4,5,6\n",
            ["Row 2 has 1 cells, but the header has 2.", "Row 4 has 3 cells, but the header has 2."],
        ),
        ("a,b\n1,x\0y\n", ["Row 2, column 'b' holds a NUL character (position 2)."]),
        ("a,,c\n1,2,3\n", ["Row 2 has a value in column 2, which has no name in the header."]),
        ('a,b\n1,"2\n3,4\n', ["Row 2 (line 3) is not CSV: unexpected end of data."]),
        ('a,b\n1,"2"x\n3,4\n', ["Row 2 (line 2) is not CSV: ',' expected after '\"'."]),
    ],
)
def test_every_fault_names_its_row(data: str, faults: list[str]) -> None:
    _, found = read("t.csv", data)
    assert [fault.split(". A cell")[0].rstrip(".") for fault in found] == [
        fault.rstrip(".") for fault in faults
    ]


def test_a_nameless_column_without_values_is_no_fault() -> None:
    table, faults = read("t.csv", "a,,b,\n1,,2,\n3, ,4,,\n")
    assert (cells(table), faults) == ([{"a": "1", "b": "2"}, {"a": "3", "b": "4"}], ())


def test_a_cell_may_be_long_but_not_endless() -> None:
    table, faults = read("t.csv", f"a\n{'x' * MAX_TEXT}\n")
    assert (len(table.rows[0].cells["a"]), faults) == (MAX_TEXT, ())
    table, faults = read("t.csv", f"a\n{'x' * (MAX_TEXT + 1)}\n")
    assert faults == ("Row 2, column 'a' has 2,000,001 characters; at most 2,000,000 are allowed.",)
    assert table.rows == ()


def test_a_file_wrong_in_every_row_lists_a_thousand_and_counts_the_rest() -> None:
    _, faults = read("t.csv", "a,b\n" + "1\n" * 1500)
    assert len(faults) == MAX_FAULTS + 1
    assert faults[-1] == "500 more faults are not listed."


def test_json_lines_hold_texts_numbers_and_variables() -> None:
    lines = [
        {"prompt": "A", "n": 1.50, "ok": True, "none": None, "tags": ["x", "y"]},
        {"prompt": "B", "variables": {"question": "q\u2028r", "n": 12345678901234567890}},
    ]
    data = json.dumps(lines[0]) + "\r\n\n" + json.dumps(lines[1], ensure_ascii=False)
    table, faults = read("t.jsonl", data.replace("1.5,", "1.50,"), ("prompt",))
    assert faults == ()
    assert cells(table) == [
        {"prompt": "A", "n": "1.50", "ok": "true", "tags": "x;y"},
        {"prompt": "B", "question": "q\u2028r", "n": "12345678901234567890"},
    ]
    assert [row.where for row in table.rows] == ["Line 1", "Line 3"]


def test_a_json_list_is_a_table_too() -> None:
    table, faults = read("t.json", '[{"a": "1"}, {"a": "2"}]')
    assert (cells(table), faults) == ([{"a": "1"}, {"a": "2"}], ())
    with pytest.raises(BadFile, match="is not a list of rows"):
        read("t.json", '{"a": "1"}')


def test_every_bad_json_line_is_named() -> None:
    data = '{"a": "1"}\n{"a": \n[1]\n{"a": {"b": 1}}\n{"a": "x", "a": "y"}\n{"a": "\\ud800"}\n{"a": [1]}\n'
    _, faults = read("t.jsonl", data)
    assert faults == (
        "Line 2 is not JSON: Expecting value (character 7).",
        "Line 3 is not an object with named values.",
        "Line 4, column 'a' holds a dict, not a text.",
        "Line 5 holds 'a' twice in one object.",
        "Line 7, column 'a' holds a list, not a text.",
        "Line 6, column 'a' holds half a character (position 1), which is not Unicode text.",
    )


def test_json_nested_without_end_is_a_fault_and_no_crash() -> None:
    _, faults = read("t.jsonl", '{"a": ' + "[" * 200_000)
    assert faults == ("Line 1 is nested too deeply to be read.",)


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
TRICKY = st.sampled_from(
    ["=1+1", "'=1", "''=x", "-5", "'-5", "+49 30", "@x", "\tx", "\rx", "＝x", "- item", "'", '"', "a\nb"]
)
ROW = st.lists(CELL | TRICKY, min_size=3, max_size=3).filter(lambda row: any(cell.strip() for cell in row))


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6))
def test_whatever_is_written_as_csv_is_read_back_exactly(rows: list[list[str]]) -> None:
    table, faults = read("t.csv", "".join(csv_lines(["x", "=y", "z z"], rows)))
    assert faults == ()
    assert [list(row.cells.values()) for row in table.rows] == rows
    assert table.columns == ("x", "=y", "z z")


def rows_or_faults(name: str, data: bytes | str) -> int:
    """How many rows and faults a file gives; one that cannot be read at all counts its faults."""
    try:
        table, faults = read(name, data)
    except BadFile as error:
        return len(error.faults)
    return len(table.rows) + len(faults)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["t.csv", "t.jsonl", "t.json"]))
def test_any_bytes_give_rows_or_faults_and_never_a_crash(data: bytes, name: str) -> None:
    assert rows_or_faults(name, data)


@settings(deadline=None)
@given(
    st.text(st.sampled_from("a,;\"\n\r\t'= {}[]:01\0"), max_size=60), st.sampled_from(["t.csv", "t.jsonl"])
)
def test_any_near_table_gives_rows_or_faults(data: str, name: str) -> None:
    assert rows_or_faults(name, data)
