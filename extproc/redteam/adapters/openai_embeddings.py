"""OpenAI's embeddings API: texts in, vectors as lists of numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from extproc.redteam.answers import Vectors
from extproc.redteam.request import Reply, Request


@dataclass(frozen=True, slots=True)
class OpenAiEmbeddings:
    model: str
    dimensions: int
    """Of an answer that is not served."""

    def request(self, texts: Sequence[str], key: int) -> Request:
        body = orjson.dumps({"model": self.model, "input": list(texts)})
        return Request(
            "/v1/embeddings",
            body,
            headers={"content-type": "application/json"},
            key=key,
            queries=len(texts),
        )

    def read(self, reply: Reply, count: int) -> Vectors:
        """Vectors of as many dimensions as came."""
        if not reply.served:
            return self._none(count)
        try:
            rows = [each["embedding"] for each in orjson.loads(reply.body)["data"]]
            values = np.array(rows, np.float64).reshape(count, -1)
        except (ValueError, KeyError, TypeError):
            return self._none(count)
        return Vectors(values, np.ones(count, bool))

    def _none(self, count: int) -> Vectors:
        return Vectors(np.full((count, self.dimensions), np.nan), np.zeros(count, bool))
