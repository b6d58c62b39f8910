"""The embedder that needs no server and no download: hashed word and character n-grams.

Words, pairs of words and runs of 3 to 5 characters inside words are hashed with a sign into a fixed
number of dimensions (Weinberger et al. 2009), so that cosines approximate those of the full counts.
``fit`` adds latent semantic analysis (Deerwester et al. 1990): rarity weights and a truncated SVD
learned from a corpus. It measures wording, not meaning: paraphrases look further apart than they are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import svds

from optimizer.errors import BadInput
from optimizer.llm.base import FloatArray

WIDTH = 4096
WORD_WEIGHT = 2.0  # a word counts as much as two of its character runs
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, eq=False)
class HashedEmbedder:
    """Unit rows of ``WIDTH`` dimensions, or of as many as ``projection`` has columns."""

    rarity: FloatArray | None = None  # (WIDTH,)
    projection: FloatArray | None = None  # (WIDTH, d)

    @property
    def name(self) -> str:
        return "hashed n-grams" if self.projection is None else "hashed n-grams, fitted"

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """(n, d), unit rows; a text without a single word is the first unit vector."""
        counts = _count(texts)
        if self.rarity is not None:
            counts = counts * self.rarity
        dense = counts.toarray() if self.projection is None else counts @ self.projection
        norms = np.linalg.norm(dense, axis=1, keepdims=True)
        blank = norms[:, 0] < 1e-12
        rows: FloatArray = dense / np.where(blank[:, None], 1.0, norms)
        rows[blank] = 0.0
        rows[blank, 0] = 1.0
        return rows


def fit(corpus: Sequence[str], dimensions: int) -> HashedEmbedder:
    """An embedder of ``dimensions`` learned from a corpus of more texts than that. ``BadInput`` else."""
    if not 1 <= dimensions < len(corpus):
        raise BadInput(f"{len(corpus)} texts cannot give {dimensions} dimensions: it takes more texts.")
    counts = _count(corpus)
    seen = np.bincount(counts.indices, minlength=WIDTH)
    rarity = np.log((1 + len(corpus)) / (1 + seen)) + 1.0
    weighted = csr_array(counts * rarity)
    lengths = np.sqrt((weighted**2).sum(axis=1))
    weighted = csr_array(weighted / np.where(lengths > 0, lengths, 1.0)[:, None])
    start = np.ones(min(weighted.shape)) / np.sqrt(min(weighted.shape))
    _, values, right = svds(weighted, k=dimensions, v0=start)
    order = np.argsort(-values)
    return HashedEmbedder(rarity, np.ascontiguousarray(right[order].T))


def _count(texts: Sequence[str]) -> "csr_array[np.float64]":
    """(n, WIDTH): signed counts, dampened to sign(c) log(1 + |c|)."""
    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for text in texts:
        row: dict[int, float] = {}
        for gram, weight in _grams(text):
            code = crc32(gram.encode())
            column = code % WIDTH
            row[column] = row.get(column, 0.0) + (weight if code >> 31 else -weight)
        columns.extend(row)
        values.extend(row.values())
        starts.append(len(columns))
    signed = np.array(values, dtype=np.float64)
    dampened = np.sign(signed) * np.log1p(np.abs(signed))
    return csr_array((dampened, columns, starts), shape=(len(texts), WIDTH))


def _grams(text: str) -> Iterable[tuple[str, float]]:
    words = _WORD.findall(text.casefold())
    for word in words:
        yield f"w {word}", WORD_WEIGHT
        framed = f"<{word}>"
        for size in (3, 4, 5):
            for start in range(len(framed) - size + 1):
                yield framed[start : start + size], 1.0
    for first, second in pairwise(words):
        yield f"b {first} {second}", WORD_WEIGHT
