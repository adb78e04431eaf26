"""Cohere's embeddings (POST /v2/embed, /v1/embed): vectors by type.

Rule: a type is answered only where the tier's mutators can write it: ``float`` and ``base64`` (of
little-endian float32).  The model server's own quantised types pass where embeddings pass
untouched, and nowhere else: what is rounded there is not what this tier rounds.

Source: Cohere API reference, "Embed".
"""

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from extproc.dialects.cohere import META, cohere_error
from extproc.dialects.dialect import JsonDialect, Parameters
from extproc.dialects.gate import PASS, Object, Terms
from extproc.dialects.gathered import Gathered
from extproc.dialects.inputs import Json, some
from extproc.dialects.request import Admitted, Asked, require
from extproc.dialects.shape import (
    ABSENT,
    Fault,
    Fields,
    Gate,
    Items,
    Keep,
    Node,
    Rewrite,
)
from extproc.dialects.vectors import VECTOR
from extproc.errors import ClientError, UpstreamError
from extproc.prediction import Query
from extproc.refusal import Refusal

_INPUTS: Final = ("texts", "images", "inputs")
_FIELDS: Final = dict.fromkeys(
    (*_INPUTS, "model", "input_type", "truncate", "output_dimension", "max_tokens"), PASS
)
_GATES: Final = {1: Object(_FIELDS), 2: Object({**_FIELDS, "embedding_types": PASS})}
_WRITABLE: Final = frozenset({"float", "base64"})
_QUANTISED: Final = frozenset({"int8", "uint8", "binary", "ubinary"})


class CohereEmbed(JsonDialect, frozen=True, tag="cohere_embed"):
    """Embeddings."""

    version: Literal[1, 2] = 2
    """Of the API: version 1 answers with arrays of floats alone."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, _GATES[self.version], terms)
        _check_types(admitted.read.get("embedding_types"), terms)
        inputs = _inputs(admitted)
        query = Query(admitted.model, len(inputs))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def tree(self) -> Node:
        return Fields(
            {
                **_AROUND,
                "embeddings": _BY_TYPE if self.version == 2 else _VECTORS,
            }
        )

    def error(self, refusal: Refusal) -> bytes:
        return cohere_error(refusal)


def _check_types(types: Json, terms: Terms) -> None:
    if types is None:
        return
    known = _WRITABLE | (_QUANTISED if "embedding" in terms.untouched else frozenset())
    asked = some(types, "embedding_types", str)
    shown = " and ".join(map(repr, sorted(known)))
    require(known.issuperset(asked), f"'embedding_types' can hold {shown}.")


def _inputs(admitted: Admitted) -> list[Json]:
    """Of one sort alone: what a server does with two is its own idea."""
    named = [name for name in _INPUTS if admitted.read.get(name) is not None]
    if len(named) != 1:
        raise ClientError("One of 'texts', 'images' and 'inputs' must be given.")
    return some(admitted.read[named[0]], named[0], str, dict)


@dataclass(frozen=True, slots=True)
class _Quantised:
    """An array of whole numbers, where no mutator would have had a say."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if run.edits.get("embedding", ABSENT) is not None:
            return run.drop(place)
        try:
            numbers = msgspec.convert(value, list[int] | None)
        except msgspec.ValidationError as error:
            raise UpstreamError(f"{place} is not an array of whole numbers") from error
        run.told.count("embedding", len(numbers or ()))
        return value


_VECTORS: Final = Gathered(Items(VECTOR, each=True))
_BY_TYPE: Final = Fields(
    {
        **dict.fromkeys(sorted(_WRITABLE), _VECTORS),
        **dict.fromkeys(sorted(_QUANTISED), Items(_Quantised(), each=True)),
    }
)
_AROUND: Final[dict[str, Node]] = {
    **dict.fromkeys(("id", "response_type"), Keep()),
    "texts": Gate("text", Items(Keep())),
    "images": Gate(
        "text", Items(Fields(dict.fromkeys(("width", "height", "format", "bit_depth"), Keep())))
    ),
    "meta": META,
    "message": Fault(),
}
