"""Cohere's classification (POST /v1/classify): per input a prediction and each label's confidence.

Rule: ``labels`` is one prediction of all classes; ``confidence`` and ``confidences`` repeat parts
of it and are written anew from what is left of it.  Of a model with several labels an input, each
confidence is a ``score`` of its own.

Source: Cohere API reference, "Classify".
"""

from dataclasses import dataclass
from typing import Any, Final

from extproc.dialects.cohere import META, cohere_error, model_name
from extproc.dialects.confidences import distribution, edited, score
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.inputs import Json, some
from extproc.dialects.request import Asked
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Fault,
    Fields,
    Gate,
    Items,
    Keep,
    Node,
    Opaque,
    Rewrite,
)
from extproc.errors import UpstreamError
from extproc.prediction import Kind, Query
from extproc.refusal import Refusal

_GATE: Final = Object(dict.fromkeys(("model", "inputs", "examples", "preset", "truncate"), PASS))


class CohereClassify(JsonDialect, frozen=True, tag="cohere_classify"):
    """Classification."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = some(admitted.read.get("inputs"), "inputs", str)
        query = Query(model_name(admitted), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return cohere_error(refusal)


@dataclass(frozen=True, slots=True)
class _Classification:
    """The answer to one input."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        known = _KNOWN.rewrite(value, run, place)
        if known is None:
            return known
        kind = _kind(known)
        before = _confidences(known, run, place)
        if kind not in run.edits or "label" not in run.edits:
            run.drop(f"{place}.labels")
            return _with(known, None)
        if run.edits[kind] is None:
            return known
        after = _scores(before, run, place) if kind == "score" else _classes(before, run, place)
        return _with(known, after)


def _kind(known: Any) -> Kind:
    return "score" if known.get("classification_type") == "multi-label" else "probabilities"


def _confidences(known: Any, run: Rewrite, place: str) -> dict[str, Json]:
    """By label, in the server's order."""
    labels = known.get("labels")
    if not isinstance(labels, dict):
        raise UpstreamError(f"{place} has no labels")
    place = f"{place}.labels.*"
    read = [_LABEL.rewrite(item, run, place) for item in labels.values()]
    if any(a is not b for a, b in zip(read, labels.values(), strict=True)):
        known["labels"] = dict(zip(labels, read, strict=True))
    return {name: (item or {}).get("confidence") for name, item in zip(labels, read, strict=True)}


def _classes(before: dict[str, Json], run: Rewrite, place: str) -> dict[str, float] | None:
    """What is left of the distribution; what a mutator takes out leaves it."""
    values = distribution(list(before.values()), place)
    after = edited(values, run.edit("probabilities"))
    if after is None:
        return None
    changed = after is not values
    pairs = zip(before, after.tolist(), strict=True)
    return {name: number for name, number in pairs if number or not changed}


def _scores(before: dict[str, Json], run: Rewrite, place: str) -> dict[str, float]:
    after = {name: score(item, run.edit("score"), place) for name, item in before.items()}
    return {name: item for name, item in after.items() if item is not ABSENT}


def _with(known: Any, confidences: dict[str, float] | None) -> Any:
    """The answer with these confidences in all three places, null where there are none."""
    given = confidences or {}
    named = known.get("predictions") or ()
    after: dict[str, Any] = {
        "labels": confidences and {name: {"confidence": n} for name, n in given.items()},
        "confidence": max(given.values(), default=None),
        "confidences": confidences and [given.get(name) for name in named],
    }
    changed = known | {name: item for name, item in after.items() if name in known}
    return known if changed == known else changed


_LABEL: Final = Fields({"confidence": Keep()})
_KNOWN: Final = Fields(
    {
        "id": Keep(),
        "input": Opaque("text"),
        "prediction": Opaque("label"),
        "predictions": Gate("label", Items(Keep())),
        "confidence": Anything(),
        "confidences": Anything(),
        "labels": Anything(),
        "classification_type": Keep(),
    }
)
_ANSWER: Final = Fields(
    {
        "id": Keep(),
        "classifications": Items(_Classification(), each=True),
        "meta": META,
        "message": Fault(),
    }
)
