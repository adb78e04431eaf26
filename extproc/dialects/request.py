"""Request bodies: JSON objects whose every field is known.

Rule: the model server reads exactly what we read.  A repeated key, which parsers resolve in
different ways, is refused; every field goes through the gate.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from msgspec import Struct, field

from extproc.dialects.batch import Input
from extproc.dialects.gate import Changes, Object, Terms
from extproc.dialects.noted import Noted
from extproc.errors import ClientError
from extproc.prediction import Query


class Asked(Struct, frozen=True):
    """A request that passed the gate."""

    query: Query
    body: bytes
    """What goes on to the model server."""
    inputs: Sequence[Any] = ()
    """What each prediction is asked about, in the answer's order; it keys what is drawn for it."""
    set_headers: Mapping[str, str] = {}
    """Header fields that go on with it, instead of those that came."""
    changed: Mapping[str, int] = {}
    """How often the gate changed something, by its place in the request."""
    unasked: frozenset[str] = frozenset()
    """Members of its answer that count tokens, and that the client did not ask for."""
    tensors: Sequence[Input] | None = None
    """Its input tensors, None where the API has none."""
    prose: bool = False
    """Whether its answer is text, of no form that a program asks for."""
    noted: Noted = field(default_factory=Noted)
    """What of it an answer is paid by, once it has been read under its policy's terms."""


class Admitted(Struct, frozen=True):
    """A JSON body, as it came and as it goes on."""

    original: bytes
    read: dict[str, Any]
    fields: dict[str, Any]
    """What goes on: ``read`` itself where nothing was changed."""
    changed: Mapping[str, int]

    @property
    def body(self) -> bytes:
        """Byte for byte the client's where nothing was changed."""
        return self.original if self.fields is self.read else orjson.dumps(self.fields)

    @property
    def model(self) -> str:
        """The model asked.  Raise ClientError where none is named."""
        model = self.read.get("model")
        require(isinstance(model, str) and model, "'model' must be a name.")
        return str(model)

    def with_field(self, name: str, value: Any) -> "Admitted":
        """The request with another value in a field; counted, where one was there."""
        if self.fields.get(name) == value:
            return self
        counts = {name: 1} if name in self.fields else {}
        changed = {**self.changed, **counts}
        return Admitted(self.original, self.read, {**self.fields, name: value}, changed)


def admit(body: bytes, gate: Object, terms: Terms, extra: Collection[str] = ()) -> Admitted:
    """Read a JSON object and take it through the gate.  Raise ClientError where it is refused."""
    read, changes = read_object(body), Changes(terms)
    if terms.check is not None:
        terms.check(read)
    fields = gate.admit(read, changes, "", extra)
    return Admitted(body, read, fields, changes.counts)


def read_object(body: bytes) -> dict[str, Any]:
    """Parse a request body.  Raise ClientError unless it is one JSON object without repeats."""
    try:
        value = orjson.loads(body)
        repeated = repeats_a_key(body, value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError) as error:
        raise ClientError("The request body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise ClientError("The request body is not a JSON object.")
    if repeated:
        raise ClientError("The request body repeats a key.")
    return value


def repeats_a_key(document: bytes, value: Any) -> bool:
    """Whether any object of a valid JSON document, parsed as ``value``, names a key twice.

    Raise RecursionError where the document is nested deeper than Python's own parser goes.
    """
    # Written anew to the same bytes it holds nothing that was not read.  Most servers and clients
    # write JSON this way, and the other way to find out costs several times as much.
    if orjson.dumps(value) == document:
        return False
    repeated = False

    def pairs(items: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated = repeated or len({name for name, _ in items}) != len(items)

    json.loads(document, object_pairs_hook=pairs, parse_float=len, parse_int=len)
    return repeated


def require(condition: object, detail: str) -> None:
    """Raise ClientError with this detail unless the condition holds."""
    if not condition:
        raise ClientError(detail)
