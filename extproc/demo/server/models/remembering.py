"""An embedding model that remembers what it was asked, as services do that meet texts again.

Rule: it holds a bounded number of texts and forgets the oldest; it answers what the model answers.
How soon it answers tells whether a text was asked before, by anyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from extproc.demo.server.models.embedder import Embedded, Embedder

_Known = tuple[NDArray[np.float32], int]
"""A text's vector, and its length in tokens."""


@dataclass(frozen=True, slots=True)
class Remembering:
    """Remembers at most ``limit`` texts, for any number of threads."""

    model: Embedder
    limit: int
    _known: dict[str, _Known] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def dimensions(self) -> int:
        return self.model.dimensions

    def embed(self, texts: Sequence[str]) -> Embedded:
        known = self._recall(texts)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            embedded = self.model.embed(new)
            learned = zip(embedded.vectors, embedded.lengths, strict=True)
            known |= dict(zip(new, learned, strict=True))
            self._keep({text: known[text] for text in new})
        vectors = np.stack([known[text][0] for text in texts])
        return Embedded(vectors, [known[text][1] for text in texts])

    def _recall(self, texts: Sequence[str]) -> dict[str, _Known]:
        with self._lock:
            return {text: self._known[text] for text in texts if text in self._known}

    def _keep(self, learned: dict[str, _Known]) -> None:
        with self._lock:
            self._known.update(learned)
            for text in list(self._known)[: max(0, len(self._known) - self.limit)]:
                del self._known[text]
