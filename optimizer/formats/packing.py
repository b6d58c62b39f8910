"""Zip archives written in pieces, without going back; the same files give the same bytes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)


class Sink:
    """A file to write into; what was written is taken away in pieces."""

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


class Packing:
    """A zip that is being written."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """A whole file."""
        for _ in self.adding(name, pieces):
            pass

    def adding(self, name: str, pieces: Iterable[bytes]) -> Iterator[None]:
        """A file piece by piece; stops after each, so that the sink can be emptied."""
        entry = ZipInfo(name, _EPOCH)
        entry.compress_type = ZIP_DEFLATED
        with self._archive.open(entry, "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)
                yield


@contextmanager
def packed(sink: Sink) -> Iterator[Packing]:
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        yield Packing(archive)
