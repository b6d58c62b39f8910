"""Bytes to text to JSON or YAML: the first steps of every import; faults name the place and the remedy."""

import json
from typing import Any

import yaml

from optimizer.errors import BadFile
from optimizer.formats.base import Upload

BOM = b"\xef\xbb\xbf"
# First bytes of what people upload by mistake.
_OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive. Save it as 'CSV UTF-8' and choose that file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save it as 'CSV UTF-8' and choose that file",
    b"\xff\xfe": "in UTF-16. Save it as UTF-8 ('CSV UTF-8' in Excel) and choose it again",
    b"\xfe\xff": "in UTF-16. Save it as UTF-8 ('CSV UTF-8' in Excel) and choose it again",
    b"%PDF": "a PDF document. Choose a CSV, JSONL or JSON file",
    b"\x1f\x8b": "compressed. Unpack it and choose the file inside",
}


def text_of(upload: Upload) -> str:
    """The file as text: UTF-8, with or without a byte-order mark. ``BadFile`` for anything else."""
    for start, what in _OTHER_FILES.items():
        if upload.data.startswith(start):
            raise BadFile([f"'{upload.name}' is {what}."])
    data = upload.data.removeprefix(BOM)
    if not data.strip():
        raise BadFile([f"'{upload.name}' is empty."])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        byte = data[fault.start]
        guess = bytes([byte]).decode("cp1252", errors="replace")
        raise BadFile(
            [
                f"Line {line:,} of '{upload.name}' is not UTF-8: byte 0x{byte:02X}, which is '{guess}' in "
                "Windows-1252. Save the file as UTF-8 ('CSV UTF-8' in Excel) and choose it again."
            ]
        ) from fault


def json_of(text: str, where: str) -> Any:
    """Parsed JSON, with numbers as their own text, exactly as written; ``where`` starts the fault."""
    try:
        return _JSON.decode(text)
    except _Twice as fault:
        raise BadFile([f"{where} holds '{fault.name}' twice in one object."]) from fault
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, " if fault.lineno > 1 else ""
        raise BadFile([f"{where} is not JSON: {fault.msg} ({place}character {fault.colno})."]) from fault
    except RecursionError as fault:
        raise BadFile([f"{where} is nested too deeply to be read."]) from fault


class _Twice(Exception):
    """A name stands twice in one JSON object."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


# Made once: it is used for every line of files with hundreds of thousands.
_JSON = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_unique)


def yaml_of(text: str, where: str) -> Any:
    """Parsed YAML, every scalar as its text: a value that reads yes, null or 1.0 stays what was written."""
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 -- makes texts, lists and mappings only
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        place = f" (line {mark.line + 1}, character {mark.column + 1})" if mark else ""
        raise BadFile([f"{where} is not YAML: {fault.problem}{place}."]) from fault
    except yaml.YAMLError as fault:
        raise BadFile([f"{where} is not YAML: it holds characters that YAML does not allow."]) from fault
    except RecursionError as fault:
        raise BadFile([f"{where} is nested too deeply to be read."]) from fault
