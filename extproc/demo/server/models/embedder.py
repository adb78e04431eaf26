"""What an embedding model is asked, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embedded:
    """Unit vectors [B, D], and how many tokens of each text were read to make them."""

    vectors: NDArray[np.float32]
    lengths: Sequence[int]

    @property
    def tokens(self) -> int:
        return sum(self.lengths)


class Embedder(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Embedded: ...
