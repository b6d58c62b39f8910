"""A whole study as one zip: everything that a store keeps of it, restored as it was on another machine.

    manifest.json    {"format": "prompt-duel-archive", "version": 1, "study", "name", "files": [{"name",
                      "rows", "sha256"}]}, written last
    studies.jsonl prompts.jsonl inputs.jsonl outputs.jsonl rubrics.jsonl raters.jsonl duels.jsonl votes.jsonl

One noun per line, one field per name of ``optimizer/domain.py``, times in ISO 8601.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import Any, ClassVar
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from optimizer.domain import Batch, Duel, Input, Output, Prompt, Rater, Rubric, Study, Vote
from optimizer.errors import BadFile
from optimizer.formats.base import Choices, Contents, Extract, Faults, Preview, Upload, told
from optimizer.formats.nouns_json import from_json, to_json

FORMAT = "prompt-duel-archive"
VERSION = 1
MAX_BYTES = 2 * 1024**3  # unpacked
MANIFEST = "manifest.json"
KINDS: dict[str, type] = {
    "studies": Study,
    "prompts": Prompt,
    "inputs": Input,
    "outputs": Output,
    "rubrics": Rubric,
    "raters": Rater,
    "duels": Duel,
    "votes": Vote,
}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same study gives the same bytes


class Archive:
    """Import and export."""

    name: ClassVar[str] = "archive"
    label: ClassVar[str] = "Archive of the whole study (zip)"
    about: ClassVar[str] = "A study with its votes and raters, as exported by Prompt Duel here or elsewhere."
    suffixes: ClassVar[tuple[str, ...]] = ("zip",)
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "zip"
    mime: ClassVar[str] = "application/zip"
    whole: ClassVar[bool] = True
    loses: ClassVar[str] = (
        "Holds everything but connections to models and the log of events (when a vote was withdrawn, "
        "restored or noted)."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """The study under the ids that it had."""
        try:
            with ZipFile(BytesIO(upload.data)) as packed:
                manifest = _manifest(packed, upload.name)
                faults = Faults()
                nouns = {name: _nouns(packed, name, manifest, faults) for name in KINDS}
        except (BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as fault:
            raise BadFile([f"'{upload.name}' is damaged, or no zip archive: {fault}."]) from fault
        if not faults and len(nouns["studies"]) != 1:
            faults.add("studies.jsonl", f"holds {told(len(nouns['studies']), 'line')}, not one study")
        if faults:
            return Preview(Batch(), faults=faults.sentences())
        counts = ", ".join(told(len(nouns[name]), name[:-1]) for name in KINDS if name != "studies")
        return Preview(Batch(**nouns), notes=(f"'{nouns['studies'][0].name}': {counts}.",))

    def write(self, extract: Extract) -> Iterator[bytes]:
        contents = extract.contents
        votes = (ballot.vote for ballot in extract.ballots)
        parts: dict[str, Iterable[object]] = {
            "studies": [contents.study],
            "prompts": contents.prompts,
            "inputs": contents.inputs,
            "outputs": contents.outputs,
            "rubrics": extract.rubrics,
            "raters": extract.raters.values(),
            "duels": extract.duels,
            "votes": votes,
        }
        sink = _Sink()
        files = []
        with ZipFile(sink, "w", ZIP_DEFLATED) as packed:
            for name, nouns in parts.items():
                digest, rows = hashlib.sha256(), 0
                with packed.open(_entry(f"{name}.jsonl"), "w", force_zip64=True) as entry:
                    for piece, count in _lines(nouns):
                        digest.update(piece)
                        rows += count
                        entry.write(piece)
                        yield sink.taken()
                files.append({"name": f"{name}.jsonl", "rows": rows, "sha256": digest.hexdigest()})
            about = {"study": contents.study.id, "name": contents.study.name, "files": files}
            manifest = json.dumps(
                {"format": FORMAT, "version": VERSION, **about}, ensure_ascii=False, indent=1
            )
            packed.writestr(_entry(MANIFEST), manifest.encode())
        yield sink.taken()


class _Sink:
    """A file for ``ZipFile`` to write into without going back; what it wrote is taken in pieces."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing to do: every piece is handed on."""

    def close(self) -> None:
        """Nothing to let go."""

    def taken(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _lines(nouns: Iterable[object]) -> Iterator[tuple[bytes, int]]:
    """Lines of JSON, some hundred at a time, with how many there are."""
    everything = iter(nouns)
    while some := list(islice(everything, 500)):
        rows = (json.dumps(to_json(noun), ensure_ascii=False, separators=(",", ":")) + "\n" for noun in some)
        yield "".join(rows).encode(), len(some)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.compress_type = ZIP_DEFLATED
    return entry


def _manifest(packed: ZipFile, file: str) -> dict[str, dict[str, Any]]:
    """What the manifest says of each file. Sizes are looked at before anything is unpacked."""
    unpacked = sum(entry.file_size for entry in packed.infolist())
    if unpacked > MAX_BYTES:
        raise BadFile(
            [f"'{file}' unpacks to {unpacked / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} are read."]
        )
    try:
        manifest = json.loads(packed.read(MANIFEST))
        version, files = manifest["version"], {row["name"]: row for row in manifest["files"]}
        ours = manifest["format"] == FORMAT
    except (KeyError, TypeError, ValueError) as fault:
        raise BadFile([f"'{file}' is not an archive of a study: it has no readable {MANIFEST}."]) from fault
    if not ours or version != VERSION:
        raise BadFile([f"'{file}' is an archive of version {version}; version {VERSION} can be read here."])
    return files


def _nouns(packed: ZipFile, name: str, files: dict[str, dict[str, Any]], faults: Faults) -> list[Any]:
    file = f"{name}.jsonl"
    if file not in files or file not in packed.namelist():
        faults.add(file, "is missing from the archive")
        return []
    data = packed.read(file)
    if hashlib.sha256(data).hexdigest() != files[file].get("sha256"):
        faults.add(file, "is not as it was written: its checksum differs")
        return []
    found: list[Any] = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("is not an object")
            found.append(from_json(KINDS[name], row))
        except (ValueError, RecursionError) as fault:
            faults.add(f"{file}, line {number:,}", str(fault))
    return found
