"""An embedder that remembers: a screen full of proposals compares the same prompts again and again."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np

from optimizer.llm.base import Embedder, FloatArray

REMEMBERED = 1_000  # texts


class Remembering:
    """The rows of another embedder, which is asked for each text once. Safe to share between threads."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._rows: OrderedDict[str, FloatArray] = OrderedDict()
        self._lock = Lock()

    @property
    def name(self) -> str:
        return self._embedder.name

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """(n, d), unit rows. Raises ``ProviderError``."""
        with self._lock:
            known = {text: self._rows[text] for text in texts if text in self._rows}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, self._embedder.embed(new), strict=True))
        with self._lock:
            for text in texts:
                self._rows[text] = known[text]
                self._rows.move_to_end(text)
            while len(self._rows) > REMEMBERED:
                self._rows.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else self._embedder.embed([])
