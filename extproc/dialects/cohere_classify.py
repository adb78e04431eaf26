"""Cohere's classification (POST /v1/classify): per input a prediction and each label's confidence.

Rule: ``labels`` is one prediction of all classes; ``confidence`` and ``confidences`` repeat parts
of it and are written anew from what is left of it.  Of a model with several labels an input, each
confidence is a ``score`` of its own.

Source: Cohere API reference, "Classify".
"""

from dataclasses import dataclass
from typing import Any, Final

from extproc.dialects.cohere import META, cohere_error
from extproc.dialects.confidences import distribution, edited, score
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.hidden import OTHER, hidden
from extproc.dialects.inputs import Json, some
from extproc.dialects.mutation import Edit
from extproc.dialects.request import Asked
from extproc.dialects.shape import ABSENT, Fault, Fields, Gate, Items, Keep, Node, Opaque, Rewrite
from extproc.errors import UpstreamError
from extproc.prediction import Kind, Query
from extproc.refusal import Refusal

_GATE: Final = Object(dict.fromkeys(("model", "inputs", "examples", "preset", "truncate"), PASS))


class CohereClassify(JsonDialect, frozen=True, tag="cohere_classify"):
    """Classification."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        inputs = some(admitted.read.get("inputs"), "inputs", str)
        query = Query(admitted.model, len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return cohere_error(refusal)


@dataclass(frozen=True, slots=True)
class _Labels:
    """An object of labels: their names are the model's, what they hold is known."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, dict):
            raise UpstreamError(f"{place} is not an object")
        after = {name: _LABEL.rewrite(item, run, f"{place}.*") for name, item in value.items()}
        return value if all(after[name] is item for name, item in value.items()) else after


@dataclass(frozen=True, slots=True)
class _Classification:
    """The answer to one input."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        known = _KNOWN.rewrite(value, run, place)
        if known is None:
            return known
        kind: Kind = "score" if _has_several(known) else "probabilities"
        if kind not in run.edits or "label" not in run.edits:
            run.drop(f"{place}.labels")
            return _holding(known, None)
        if known.get("labels") is None:
            return _holding(known, None)
        before = _confidences(known, place)
        if kind == "score":
            after, other = _scores(before, run.edit(kind), place), 0.0
        else:
            after, other = _classes(before, run.edit(kind), place)
        run.told.count_names(len(after or ()), len(before), scored=kind == "probabilities")
        return known if run.edits[kind] is None else _holding(known, after, other)


def _has_several(known: Any) -> bool:
    return bool(known.get("classification_type") == "multi-label")


def _confidences(known: Any, place: str) -> dict[str, Json]:
    """By label, in the server's order."""
    labels = known["labels"]
    if None in labels.values():
        raise UpstreamError(f"{place} has no labels")
    return {name: item.get("confidence") for name, item in labels.items()}


def _classes(
    before: dict[str, Json], edit: Edit, place: str
) -> tuple[dict[str, float] | None, float]:
    """What is left of the distribution, and what is hidden; what a mutator takes out leaves it."""
    values = distribution(list(before.values()), place)
    after = edited(values, edit)
    if after is None:
        return None, 0.0
    other = hidden(after, before, place)
    changed = after.values is not values
    pairs = zip(before, after.values.tolist(), strict=True)
    return {name: number for name, number in pairs if number or not changed}, other


def _scores(before: dict[str, Json], edit: Edit, place: str) -> dict[str, float] | None:
    after = {name: score(item, edit, place) for name, item in before.items()}
    return {name: item for name, item in after.items() if item is not ABSENT}


def _holding(known: Any, confidences: dict[str, float] | None, other: float = 0.0) -> Any:
    """The answer with these confidences in all three places, null where there are none."""
    after: dict[str, Any] = dict.fromkeys(("labels", "confidence", "confidences"))
    if confidences is not None:
        named = known.get("predictions") or ()
        labels = confidences | ({OTHER: other} if other else {})
        after["labels"] = {name: {"confidence": item} for name, item in labels.items()}
        after["confidence"] = max(confidences.values(), default=None)
        after["confidences"] = [confidences.get(name) for name in named]
    return known | {name: item for name, item in after.items() if name in known}


_LABEL: Final = Fields({"confidence": Keep()})
_KNOWN: Final = Fields(
    {
        "id": Keep(),
        "input": Opaque("text"),
        "prediction": Opaque("label"),
        "predictions": Gate("label", Items(Keep())),
        "confidence": Keep(),
        "confidences": Items(Keep()),
        "labels": _Labels(),
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
