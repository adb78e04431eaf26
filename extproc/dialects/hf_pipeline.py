"""Hugging Face pipelines, as the Inference API and its toolkits serve them: bare arrays by task.

Rule: the task says what an answer holds, so the route declares it.  ``function_to_apply: none``
and its like ask for logits and are refused by name; what shows further classes is taken out where
the tier grants no probabilities.

Source: Hugging Face "Inference Providers" API reference, by task; transformers' "Pipelines".
"""

from collections.abc import Sequence
from typing import Final, Literal

import orjson

from extproc.dialects.confidences import SCORE, ScoredLabels
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Granted, Object, Only, Rule, Taking, Terms
from extproc.dialects.gathered import Gathered
from extproc.dialects.inputs import Json, some
from extproc.dialects.request import Asked
from extproc.dialects.shape import Fields, Items, Keep, Node, Opaque, Rows
from extproc.dialects.vectors import vectors
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

Task = Literal[
    "classification",
    "multi_label_classification",
    "token_classification",
    "object_detection",
    "feature_extraction",
    "speech_recognition",
]

_FUNCTION: Final = Only((None, "softmax", "sigmoid"))
_SHOWING: Final[dict[str, Rule]] = {
    "function_to_apply": _FUNCTION,
    "top_k": Granted("probabilities"),
    "return_all_scores": Granted("probabilities"),
}
_PARAMETERS: Final[dict[Task, dict[str, Rule]]] = {
    "classification": _SHOWING,
    "multi_label_classification": {
        **_SHOWING,
        **dict.fromkeys(("top_k", "return_all_scores"), Granted("score")),
    },
    "token_classification": dict.fromkeys(
        ("aggregation_strategy", "ignore_labels", "stride"), PASS
    ),
    # Moved up and down, it tells a score to any number of digits.
    "object_detection": {"threshold": Taking()},
    "feature_extraction": {
        **dict.fromkeys(("truncate", "truncation", "truncation_direction", "prompt_name"), PASS),
        "normalize": Only((None, True)),
    },
    "speech_recognition": {"return_timestamps": PASS},
}


class HfPipeline(JsonDialect, frozen=True, tag="hf_pipeline"):
    """A pipeline."""

    task: Task = "classification"
    model: str = ""
    """What the pipeline's model is called in the policy, where the path does not name it."""
    holds: Literal["tensor", "embedding"] = "tensor"
    """What feature extraction gives: vectors that mutators understand, or hidden states."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATES[self.task], terms)
        inputs = _inputs(admitted.read.get("inputs"))
        query = Query(parameters.get("model", self.model), len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        match self.task:
            case "classification":
                return Rows(ScoredLabels(), each=True)
            case "multi_label_classification":
                return Rows(Items(Fields({"label": Opaque("label"), "score": SCORE})), each=True)
            case "token_classification":
                return Rows(Items(_ENTITY), each=True)
            case "object_detection":
                return Rows(Items(_DETECTION), each=True)
            case "feature_extraction":
                rows = Rows(vectors(self.holds), depth=3, each=True)
                return Gathered(rows) if self.holds == "embedding" else rows
            case "speech_recognition":
                return _SPEECH

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message})


def _gate(task: Task, parameters: dict[str, Rule]) -> Object:
    # Feature extraction reads its parameters beside the inputs as well.
    beside = parameters if task == "feature_extraction" else {}
    options = Object(dict.fromkeys(("use_cache", "wait_for_model"), PASS))
    return Object({**beside, "inputs": PASS, "parameters": Object(parameters), "options": options})


_GATES: Final = {task: _gate(task, parameters) for task, parameters in _PARAMETERS.items()}


def _inputs(value: Json) -> Sequence[Json]:
    """A text, or an image in base64, is one; so is a text with its pair; an array is a batch."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and value and all(isinstance(v, str) for v in value.values()):
        return [value]
    if isinstance(value, list):
        return some(value, "inputs", str, dict)
    raise ClientError("'inputs' must be a string, or an array of strings.")


_ENTITY: Final = Fields(
    {
        **dict.fromkeys(("entity", "entity_group"), Opaque("label")),
        "score": SCORE,
        "word": Opaque("text"),
        **dict.fromkeys(("index", "start", "end"), Keep()),
    }
)
_BOX: Final = Fields(dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), Keep()))
_DETECTION: Final = Fields({"label": Opaque("label"), "score": SCORE, "box": _BOX})
_SPEECH: Final = Fields(
    {
        "text": Opaque("text"),
        "chunks": Items(Fields({"text": Opaque("text"), "timestamp": Items(Keep())})),
    }
)
