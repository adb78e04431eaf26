"""An API that a target file declares: a template of its requests, and where answers lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from extproc.declared_api.description import Ask
from extproc.declared_api.json_place import JsonPlace
from extproc.declared_api.template import Template
from extproc.redteam.answers import Answers, Floats, Vectors
from extproc.redteam.request import Reply, Request


@dataclass(frozen=True, slots=True)
class Asked:
    """How it is asked."""

    ask: Ask

    @property
    def template(self) -> Template:
        return Template(self.ask.body)

    def request(self, inputs: Sequence[Any], key: int) -> Request:
        ask, body = self.ask, self.template.filled(inputs)
        return Request(ask.path, body, ask.method, ask.headers, key=key, queries=len(inputs))


@dataclass(frozen=True, slots=True)
class DeclaredClassifier:
    """Reads scores and labels, whichever come."""

    asked: Asked
    classes: int
    scores: JsonPlace | None
    label: JsonPlace | None
    labels: tuple[Any, ...]
    """What the API calls the classes, in the order of the scores."""
    most: int

    def request(self, inputs: Floats, key: int) -> Request:
        return self.asked.request(inputs.tolist(), key)

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

    asked: Asked
    dimensions: int
    vectors: JsonPlace
    most: int

    def request(self, texts: Sequence[str], key: int) -> Request:
        return self.asked.request(list(texts), key)

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
