"""SageMaker's containers (POST /invocations, /endpoints/{model}/invocations).

Known are the answers of its built-in algorithms (``predictions`` of ``predicted_label`` and
``score``, and their like), as JSON or one a line, of the Hugging Face toolkit (``label`` and
``score``) and CSV, whose ``columns`` the route declares.  Source: Amazon SageMaker developer guide,
"Common data formats for inference" and the algorithms' response formats; Hugging Face inference
toolkit.  What is answered in is for ``Accept`` to say, so it goes on as one type that can be read:
NumPy's and RecordIO's are refused.  Header fields that choose another container, variant or
explanations are refused; one that chooses the model names it, and the policy judges that name.
Parameters (``top_k``, ``function_to_apply``) are refused unless the route allows them.

The same inference has other names, each denied unless it is routed: ``/endpoints/{name}/
invocations-response-stream``, ``/async-invocations``, and whatever else a container serves beside
``/invocations``, such as ``/v1/chat/completions``.  ``/models`` loads models.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import orjson

from extproc.dialects.answers import Answers, Body, Document, Lines
from extproc.dialects.cell import cell
from extproc.dialects.csv_table import ColumnKind, CsvTable, read_inputs
from extproc.dialects.dialect import JSON, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.ranking import Columns, Having, OfObjects, Ranked
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Either, Fields, Items, Json, Node, Rewrite
from extproc.dialects.tabular import TabularDialect, rows_of
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

_CSV: Final = "text/csv"
_LINES: Final = "application/jsonlines"
_GATE: Final = Object(dict.fromkeys(("instances", "inputs"), PASS))
_CHOOSING: Final = ("x-amzn-sagemaker-target-model", "x-amzn-sagemaker-inference-component")
_REFUSED: Final = (
    "x-amzn-sagemaker-target-variant",
    "x-amzn-sagemaker-target-container-hostname",
    "x-amzn-sagemaker-enable-explanations",
    "x-amzn-sagemaker-custom-attributes",
)
_LABELS: Final = dict.fromkeys(("predicted_label", "label", "closest_cluster"), cell("label"))
_SHARES: Final = dict.fromkeys(("scores", "topic_weights"), cell("probabilities"))
_BUILT_IN: Final[dict[str, Node]] = {
    **_LABELS,
    **_SHARES,
    "score": Either(Fields({}), cell("probabilities"), cell("score")),
    **dict.fromkeys(("distance_to_cluster", "dot_product"), cell("score")),
    **dict.fromkeys(("projection", "embeddings"), cell("embedding")),
}
_CLASSES: Final = Ranked("score", ("label",), _LABELS)
_BLAZING_TEXT: Final = Columns("prob", ("label",), _LABELS)
_ZERO_SHOT: Final = Columns("scores", ("labels",), {"labels": cell("label")})
_TYPES: Final = {
    400: "ValidationError",
    401: "AccessDeniedException",
    404: "ValidationError",
    429: "ThrottlingException",
    503: "ServiceUnavailable",
}


class SageMaker(TabularDialect, frozen=True, tag="sagemaker"):
    """Invocations of a SageMaker container or endpoint."""

    columns: tuple[ColumnKind, ...] = ("tensor",)
    """What each column of a CSV answer holds; the last stands for those that follow, too."""
    ranking: bool = False
    """Whether an array of ``label`` and ``score`` tells the classes of one input, as where
    ``top_k`` is asked for; else each of its items answers an input."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset({JSON, _CSV})
    HEADERS: ClassVar[tuple[str, ...]] = ("content-type", "accept", *_CHOOSING, *_REFUSED)

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        media_type = parameters.get("content-type", JSON).partition(";")[0].strip().lower()
        headers = {"accept": _accepted(parameters.get("accept", ""), media_type)}
        model = _model(parameters)
        if media_type == _CSV:
            inputs = read_inputs(body)
            return Asked(Query(model, len(inputs)), body, inputs, headers)
        admitted = self.admit(body, _GATE, terms)
        inputs = _inputs(admitted.read)
        return Asked(Query(model, len(inputs)), admitted.body, inputs, headers, admitted.changed)

    def tree(self) -> Node:
        return Either(self._object(), self._array(), cell(self.output))

    def _object(self) -> Node:
        """An answer in an object of its own, or one line of answers."""
        fields = {"predictions": Items(self._item(), each=True)}
        if self.outputs:
            return Fields({**fields, **self.named().fields})
        scores = Items(Fields({"score": cell("score")}), each=True)
        alone = Fields(
            {**fields, **_BUILT_IN, "projections": fields["predictions"], "scores": scores}
        )
        return Having("labels", _ZERO_SHOT, Having("prob", _BLAZING_TEXT, alone))

    def _array(self) -> Node:
        rows = Items(self._item(), each=True)
        return OfObjects(_CLASSES, rows) if self.ranking else rows

    def _item(self) -> Node:
        """What answers one input."""
        built_in = Having("prob", _BLAZING_TEXT, Fields(_BUILT_IN))
        one = self.named() if self.outputs else built_in
        unnamed = cell(self.output)
        return Either(one, OfObjects(_CLASSES, unnamed), unnamed)

    def answers(self) -> Answers:
        tree = self.answer()
        lines = Lines(_Numbered(tree), streamed=False)
        return {
            JSON: Document(tree),
            _LINES: lines,
            "application/jsonl": lines,
            _CSV: Body(CsvTable(self.columns)),
        }

    def positional(self) -> bool:
        return True

    def error(self, refusal: Refusal) -> bytes:
        kind = _TYPES.get(
            refusal.status, "ValidationError" if refusal.status < 500 else "InternalFailure"
        )
        return orjson.dumps({"__type": kind, "message": refusal.message})


@dataclass(frozen=True, slots=True)
class _Numbered:
    """One line of an answer, which answers the input of its number."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        run.at = run.memory.get("line", 0)
        run.memory["line"] = run.at + 1
        try:
            return self.node.rewrite(value, run, place)
        finally:
            run.at = None


def _accepted(accept: str, media_type: str) -> str:
    """The first type asked for that can be read; without one, that of the request."""
    known = {JSON: JSON, _LINES: _LINES, _CSV: _CSV, "": media_type, "*/*": media_type}
    for part in accept.split(","):
        wanted = part.partition(";")[0].strip().lower()
        if wanted in known:
            return known[wanted]
    raise ClientError("'accept' names no type that is available here.")


def _model(parameters: Parameters) -> str:
    """Who is asked: by the path, or by the one header field that says so."""
    for name in _REFUSED:
        require(not parameters.get(name), f"The header field {name!r} is not available.")
    given = [parameters[name] for name in ("model", *_CHOOSING) if parameters.get(name)]
    require(len(given) <= 1, "Path and header fields name more than one model.")
    return given[0] if given else ""


def _inputs(read: dict[str, Any]) -> list[Any]:
    """Those of ``instances``; of ``inputs`` a text or an array of them."""
    given = [name for name in ("instances", "inputs") if read.get(name) is not None]
    require(len(given) == 1, "Give one of 'instances' and 'inputs'.")
    value = read[given[0]]
    return rows_of(value if isinstance(value, list) else [value], given[0])
