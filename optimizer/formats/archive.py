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
from zipfile import BadZipFile, ZipFile

from optimizer.domain import Batch, Duel, Input, Output, Prompt, Rater, Rubric, Study, Vote
from optimizer.errors import BadFile
from optimizer.formats.base import Choices, Contents, Extract, Faults, Preview, Upload, told
from optimizer.formats.nouns_json import from_json, to_json
from optimizer.formats.packing import Sink, packed

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
        "Holds everything but connections to models, sessions, what automatic work notes for itself, and the "
        "log of events (when a vote was withdrawn, restored or noted)."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """The study under the ids that it had."""
        try:
            with ZipFile(BytesIO(upload.data)) as archive:
                manifest = _manifest(archive, upload.name)
                faults = Faults()
                nouns = {name: _nouns(archive, name, manifest, faults) for name in KINDS}
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
        sink = Sink()
        files: list[dict[str, object]] = []
        with packed(sink) as archive:
            for name, nouns in parts.items():
                lines = _Lines(nouns)
                for _ in archive.adding(f"{name}.jsonl", lines):
                    yield sink.taken()
                digest = lines.digest.hexdigest()
                files.append({"name": f"{name}.jsonl", "rows": lines.rows, "sha256": digest})
            about = {"study": contents.study.id, "name": contents.study.name, "files": files}
            manifest = json.dumps(
                {"format": FORMAT, "version": VERSION, **about}, ensure_ascii=False, indent=1
            )
            archive.add(MANIFEST, [manifest.encode()])
        yield sink.taken()


class _Lines:
    """Nouns as lines of JSON, some hundred at a time, counted and digested on their way."""

    def __init__(self, nouns: Iterable[object]) -> None:
        self._nouns = iter(nouns)
        self.rows = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        while some := list(islice(self._nouns, 500)):
            lines = (json.dumps(to_json(noun), ensure_ascii=False, separators=(",", ":")) for noun in some)
            piece = "".join(f"{line}\n" for line in lines).encode()
            self.rows += len(some)
            self.digest.update(piece)
            yield piece


def _manifest(archive: ZipFile, file: str) -> dict[str, dict[str, Any]]:
    """What the manifest says of each file. Sizes are looked at before anything is unpacked."""
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAX_BYTES:
        raise BadFile(
            [f"'{file}' unpacks to {unpacked / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} are read."]
        )
    try:
        manifest = json.loads(archive.read(MANIFEST))
        version, files = manifest["version"], {row["name"]: row for row in manifest["files"]}
        ours = manifest["format"] == FORMAT
    except (KeyError, TypeError, ValueError) as fault:
        raise BadFile([f"'{file}' is not an archive of a study: it has no readable {MANIFEST}."]) from fault
    if not ours or version != VERSION:
        raise BadFile([f"'{file}' is an archive of version {version}; version {VERSION} can be read here."])
    return files


def _nouns(archive: ZipFile, name: str, files: dict[str, dict[str, Any]], faults: Faults) -> list[Any]:
    file = f"{name}.jsonl"
    if file not in files or file not in archive.namelist():
        faults.add(file, "is missing from the archive")
        return []
    data = archive.read(file)
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
