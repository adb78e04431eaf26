"""The vectors of one answer, edited all together.

Rule: nothing of a vector is left where it stood until it is known what became of all of them, and
there is one for each input, in their order.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from extproc.dialects.mutation import Gathering, Mutation
from extproc.dialects.shape import Json, Node, Rewrite
from extproc.dialects.told import Told
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.prediction import Embedding, Kind, Prediction


class Collected:
    """The vectors of one part of an answer, which is walked twice.

    The edits of ``first`` take them out and leave hollows, in which nothing of them is left; those
    of ``second`` fill the hollows with what became of all together, and leave alone what the first
    walk edited.
    """

    def __init__(self, run: Rewrite) -> None:
        gathering = run.edits["embedding"]
        assert isinstance(gathering, Gathering)
        self._gathering = gathering
        self._vectors: list[npt.NDArray[np.float32]] = []
        self._numbers: list[int] = []
        """Of the inputs that they answer, where these are known."""
        self.first = replace(run, edits={**run.edits, "embedding": self._take})
        self.size = 0
        """Bytes of the vectors, which are kept as exactly as they would have been served."""

    def second(self) -> Rewrite:
        """Raise UpstreamError unless each input has its vector, in their order, or none has."""
        count, asked = len(self._vectors), self.first.inputs
        numbers = self._numbers or range(count)
        if (count and asked not in (None, count)) or [*numbers] != [*range(count)]:
            raise UpstreamError(_UNEVEN)
        vectors = [Embedding(values.astype(np.float64)) for values in self._vectors]
        left = iter(self._gathering.together(vectors))
        edits: dict[Kind, Mutation | None] = dict.fromkeys(self.first.edits)
        edits["embedding"] = lambda _source, _hollow: next(left, None)
        return replace(self.first, edits=edits, at=None, dropped={}, told=Told())

    def _take(self, source: Source | None, prediction: Prediction) -> Embedding:
        if len(self._vectors) == self.first.inputs:
            raise UpstreamError(_UNEVEN)
        after = self._gathering.each(source, prediction)
        if not isinstance(after, Embedding):
            raise UpstreamError("an embedding is withheld, which others are to be compared with")
        if self.first.at is not None:
            self._numbers.append(self.first.at)
        self._vectors.append(after.values.astype(np.float32))
        self.size += self._vectors[-1].nbytes
        return _HOLLOW


_HOLLOW: Final = Embedding(np.zeros(1))
_UNEVEN: Final = "the answer does not hold one embedding for each input, in their order"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What holds one vector for each input, in their order: there a tier may edit all together."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None or not run.gathers:
            return self.node.rewrite(value, run, place)
        collected = Collected(run)
        hollow = self.node.rewrite(value, collected.first, place)
        try:
            plain = orjson.loads(orjson.dumps(hollow, option=orjson.OPT_SERIALIZE_NUMPY))
        except orjson.JSONEncodeError as error:
            raise UpstreamError("the answer is nested too deeply to be checked") from error
        return self.filled(plain, collected, place)

    def filled(self, hollow: Json, collected: Collected, place: str) -> Json:
        """What the first walk left, with what became of the vectors."""
        if isinstance(hollow, list):
            for number, item in enumerate(hollow):
                if isinstance(item, dict) and item.get("index") not in (None, number):
                    raise UpstreamError(f"{place}[] is not in the order of the inputs")
        return self.node.rewrite(hollow, collected.second(), place)
