"""Embeddings from an OpenAI-compatible server."""

from collections.abc import Sequence

import numpy as np

from optimizer.domain import Connection
from optimizer.errors import ProviderError
from optimizer.llm.base import FloatArray
from optimizer.llm.client import open_client
from optimizer.llm.errors import NotUnderstood
from optimizer.llm.keys import Key
from optimizer.llm.openai_compatible import FAULTS
from optimizer.llm.translate import translate

BATCH = 128


class OpenAIEmbedder:
    """The connection's model is an embedding model."""

    def __init__(self, connection: Connection, key: Key | None) -> None:
        self._connection = connection
        self._key = key
        self._client = open_client(connection, key)

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self._connection.name!r})"

    @property
    def name(self) -> str:
        return self._connection.model

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """(n, d), unit rows."""
        blocks = [self._embed(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.vstack(blocks) if blocks else np.zeros((0, 0))

    def _embed(self, texts: Sequence[str]) -> FloatArray:
        fault: ProviderError | None = None
        data: object = None
        try:
            answer = self._client.embeddings.with_raw_response.create(
                model=self._connection.model,
                input=[text or " " for text in texts],  # an empty text is an error to most servers
                encoding_format="float",
            )
            data = answer.http_response.json()
        except FAULTS as error:
            redact = str if self._key is None else self._key.redact
            fault = translate(error, self._connection, self._key is not None, redact)
        if fault is not None:
            raise fault
        return self._rows(data, len(texts))

    def _rows(self, data: object, n: int) -> FloatArray:
        """The vectors in the order of the texts, whatever the order they came in."""
        listed = data.get("data") if isinstance(data, dict) else None
        rows = listed if isinstance(listed, list) else []
        try:
            placed = {int(row["index"]): [float(value) for value in row["embedding"]] for row in rows}
            matrix = np.array([placed[i] for i in range(n)], dtype=np.float64)
        except (KeyError, TypeError, ValueError):
            matrix = np.zeros((0, 0))
        norms = np.linalg.norm(matrix, axis=1, keepdims=True) if matrix.ndim == 2 else np.zeros(0)
        if matrix.shape[0] != n or not np.isfinite(norms).all() or not (norms > 0).all():
            raise NotUnderstood(
                f"{self._connection.server} did not send {n} embeddings. Is '{self._connection.model}' an "
                "embedding model?"
            )
        return np.asarray(matrix / norms)
