"""OpenAI decisions (POST /v1/decisions): questions about an input, each answered with confidences.

Source: OpenAI API reference, "Decisions".  A ``predicate`` is true with a ``probability``; a
``choice`` and a ``score`` have one for each of their values, and a ``confidence``.  Rule: no number
tells more than the probabilities do at their tier.  So where these change, the confidence becomes
the changed probability of what it is about; a predicate is the distribution over true and false;
and the score, an average over exact probabilities, is a ``score`` of its own.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import END_USER, PASS, Object, Terms
from extproc.dialects.mutation import Edit
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_request import check_model
from extproc.dialects.openai_scores import SCORE, number
from extproc.dialects.openai_usage import USAGE
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Fault,
    Fields,
    Items,
    Json,
    Keep,
    Leaf,
    ModelName,
    Node,
    Opaque,
    Rewrite,
)
from extproc.dialects.variants import Variants
from extproc.errors import UpstreamError
from extproc.prediction import Probabilities, Query
from extproc.refusal import Refusal

_GATE: Final = Object(
    {
        **dict.fromkeys(
            ("model", "input", "questions", "prompt_cache_key", "prompt_cache_options"), PASS
        ),
        "safety_identifier": END_USER,
    }
)


class OpenAIDecisions(JsonDialect, frozen=True, tag="openai_decisions"):
    """Decisions."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATE, terms)
        read = admitted.read
        model, questions = check_model(read), read.get("questions")
        require(read.get("input"), "'input' must not be empty.")
        require(isinstance(questions, list) and questions, "'questions' must be an array.")
        inputs = [[read["input"], question] for question in questions or ()]
        query = Query(model, len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return _ANSWER

    def positional(self) -> bool:
        return True

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _predicate(value: Json, edit: Edit, place: str) -> Json:
    true = _probability(value, place)
    before = Probabilities(np.array([true, 1.0 - true]))
    after = _edited(before, edit)
    if after is None:
        return ABSENT
    probability = float(after.values[0])
    return value if probability == true else probability


def _probability(value: Json, place: str) -> float:
    found = number(value, place)
    if not 0 <= found <= 1:
        raise UpstreamError(f"{place} is not a probability")
    return found


def _edited(before: Probabilities, edit: Edit) -> Probabilities | None:
    after = edit(before)
    # What is hidden has no place here.
    if after is None or (isinstance(after, Probabilities) and after.other is None):
        return after
    raise TypeError(f"a mutator made {type(after).__name__} of probabilities")


@dataclass(frozen=True, slots=True)
class _Distribution:
    """A choice or a score: what it is, what else it may have been, and how sure that is."""

    fields: Fields

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        known = self.fields.rewrite(value, run, place)
        if "probabilities" not in run.edits:
            return _without(known, run, place)
        if known.get("confidence") is not None:
            _probability(known["confidence"], f"{place}.confidence")
        entries = known.get("probabilities") or ()
        before = Probabilities(np.array([_entry(entry, place) for entry in entries]))
        if run.edits["probabilities"] is None:
            run.told.count("probabilities", len(entries))
            return known
        after = _edited(before, run.edit("probabilities"))
        if after is None or not entries:
            return _without(known, run, place)
        return _holding(known, entries if after is before else _changed(entries, after))


def _entry(entry: Json, place: str) -> float:
    return _probability((entry or {}).get("probability"), f"{place}.probabilities[].probability")


def _without(known: dict[str, Json], run: Rewrite, place: str) -> dict[str, Json]:
    for name in known.keys() & {"probabilities", "confidence"}:
        run.drop(f"{place}.{name}")
    return {
        name: item for name, item in known.items() if name not in {"probabilities", "confidence"}
    }


def _changed(entries: list[dict[str, Json]], after: Probabilities) -> list[dict[str, Json]]:
    return [
        {**entry, "probability": value}
        for entry, value in zip(entries, after.values.tolist(), strict=True)
    ]


def _holding(known: dict[str, Json], entries: list[dict[str, Json]]) -> dict[str, Json]:
    """With these probabilities, and no confidence but one of them."""
    confidence = known.get("confidence")
    if confidence is not None:
        confidence = _confidence(known, entries)
    if entries is known["probabilities"] and confidence == known.get("confidence"):
        return known
    changed = {"probabilities": entries, "confidence": confidence}
    return {name: changed.get(name, item) for name, item in known.items()}


def _confidence(known: dict[str, Json], entries: list[dict[str, Json]]) -> Json:
    """The probability of the choice, or of what is likeliest."""
    chosen = [
        entry["probability"]
        for entry in entries
        if "choice" in known and entry.get("value") == known["choice"]
    ]
    return max(chosen or [entry["probability"] for entry in entries])


_ENTRIES: Final = Items(Fields({"value": Keep(), "label": Keep(), "probability": Anything()}))
_NAMED: Final[dict[str, Node]] = {"type": Keep(), "name": Keep()}
_SURE: Final[dict[str, Node]] = {"confidence": Anything(), "probabilities": _ENTRIES}
_ANSWER: Final = Fields(
    {
        "id": Keep(),
        "object": Keep(),
        "created_at": Keep(),
        "model": ModelName(),
        "answers": Items(
            Variants(
                {
                    "predicate": Fields(
                        {**_NAMED, "probability": Leaf("probabilities", _predicate)}
                    ),
                    "choice": _Distribution(Fields({**_NAMED, "choice": Opaque("label"), **_SURE})),
                    "score": _Distribution(Fields({**_NAMED, "score": SCORE, **_SURE})),
                    "refusal": Fields(_NAMED),
                }
            ),
            each=True,
        ),
        "usage": USAGE,
        "error": Fault(),
    }
)
