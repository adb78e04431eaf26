"""An API that a target file declares: a template of its requests, and where answers lie.

Rule: what is put into the template is JSON, so that no input can end the place it stands in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from extproc.redteam.adapters.json_place import JsonPlace
from extproc.redteam.answers import Answers, Floats, Vectors
from extproc.redteam.request import Reply, Request

PLACES: Final = ("inputs", "input", "flat", "count")
"""What a template may hold, in double braces: all inputs as a list of lists (or of texts), the one
input, all numbers as one list, and how many inputs there are."""
_PLACE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """Of a request."""

    path: str
    body: str
    method: str
    headers: Mapping[str, str]

    def unknown(self) -> list[str]:
        """Places in its body that nothing is put into."""
        return sorted(set(_PLACE.findall(self.body)) - set(PLACES))

    def request(self, inputs: Sequence[Any], key: int) -> Request:
        values = {"inputs": inputs, "input": inputs[0], "count": len(inputs)}
        if "flat" in _PLACE.findall(self.body):
            values["flat"] = [number for row in inputs for number in row]
        body = _PLACE.sub(lambda match: orjson.dumps(values[match[1]]).decode(), self.body)
        return Request(
            self.path, body.encode(), self.method, self.headers, key=key, queries=len(inputs)
        )


@dataclass(frozen=True, slots=True)
class DeclaredClassifier:
    """Reads scores and labels, whichever come."""

    template: Template
    classes: int
    scores: JsonPlace | None
    label: JsonPlace | None
    labels: tuple[Any, ...]
    """What the API calls the classes, in the order of the scores."""
    most: int

    def request(self, inputs: Floats, key: int) -> Request:
        return self.template.request(inputs.tolist(), key)

    def read(self, reply: Reply, count: int) -> Answers:
        try:
            return self._read(orjson.loads(reply.body), count) if reply.served else _none(count)
        except (ValueError, TypeError, OverflowError):
            return _none(count)

    def _read(self, document: Any, count: int) -> Answers:
        scores = self.scores.leaves(document) if self.scores else []
        named = self.label.leaves(document) if self.label else []
        values = np.array(scores, np.float64).reshape(count, self.classes) if scores else None
        if named:
            labels = np.array([self.labels.index(each) for each in named], np.int64).reshape(count)
        elif values is not None:
            labels = values.argmax(axis=1)
        else:
            return _none(count)
        return Answers(labels, values, np.ones(count, bool))


@dataclass(frozen=True, slots=True)
class DeclaredEmbedding:
    """Reads vectors, of as many dimensions as come."""

    template: Template
    dimensions: int
    vectors: JsonPlace
    most: int

    def request(self, texts: Sequence[str], key: int) -> Request:
        return self.template.request(list(texts), key)

    def read(self, reply: Reply, count: int) -> Vectors:
        try:
            found = self.vectors.leaves(orjson.loads(reply.body)) if reply.served else []
            values = np.array(found, np.float64).reshape(count, -1)
        except (ValueError, TypeError):
            values = np.zeros((count, 0))
        if not values.size:
            return Vectors(np.full((count, self.dimensions), np.nan), np.zeros(count, bool))
        return Vectors(values, np.ones(count, bool))


def _none(count: int) -> Answers:
    return Answers.refused(count)
