"""The likeliest format of a file, from its name and its beginning: a proposal that a person can change."""

import re

from optimizer.errors import BadFile
from optimizer.formats.base import Faults, Upload
from optimizer.formats.reading import BOM
from optimizer.formats.tables import read_table

OUR_ARCHIVE = re.compile(rb"PK\x03\x04.{26}studies\.jsonl", re.DOTALL)  # a zip whose first part this is
BEGINNING = 20_000  # bytes looked at
# The first line all of whose texts are in the beginning of the file, for files of these suffixes.
SIGNS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("archive", ("zip",), ()),
    ("spo", ("yaml", "yml"), ("qa:",)),
    ("promptfoo", ("yaml", "yml"), ()),
    ("study-json", ("json",), ('"prompt-duel-study"',)),
    ("mt-bench", ("json", "jsonl"), ('"g1_winner"',)),
    ("alpaca-eval", ("json", "jsonl"), ('"generator_1"',)),
    ("label-studio", ("json",), ('"annotations"', '"data"')),
    ("lmsys-battles", ("json", "jsonl", "csv"), ("model_a", "winner")),
    ("lmsys-battles", ("json", "jsonl"), ('"models"', "vote")),
    ("preference-pairs", ("json", "jsonl"), ('"chosen"', '"rejected"')),
    ("preference-pairs", ("json", "jsonl"), ('"generations"',)),
    ("promptfoo-results", ("json",), ('"results"',)),
    ("spo-results", ("json",), ('"round"', '"answers"')),
    ("openai-evals", ("json", "jsonl"), ('"input"', '"ideal"')),
    ("promptfoo-tests", ("json", "jsonl"), ('"vars"',)),
    ("promptfoo-tests", ("csv",), ("__",)),
)


def guess(upload: Upload) -> str:
    """The name of an import format. ``BadFile`` for a table that cannot be read."""
    suffix = upload.name.lower().rpartition(".")[2]
    if OUR_ARCHIVE.match(upload.data):
        return "archive"  # whatever it was called when it was written
    if not upload.data.removeprefix(BOM).strip():
        raise BadFile([f"'{upload.name}' is empty."])
    beginning = upload.data[:BEGINNING].decode("utf-8", errors="replace")
    for name, suffixes, signs in SIGNS:
        if suffix in suffixes and all(sign in beginning for sign in signs):
            return name
    if suffix == "json" and not beginning.lstrip("\ufeff \r\n\t").startswith("["):
        return "study-json"
    columns = set(read_table(upload, ("prompt", "output", "response"), Faults()).columns)
    if {"prompt", "response"} <= columns:
        return "autoarena"
    return "outputs-long" if "output" in columns else "outputs-wide"
