"""Request bodies: JSON objects whose every field is known.

Rule: the model server reads exactly what we read.  A repeated key, which parsers resolve in
different ways, is refused; an unknown field is refused by name; a field that asks for a kind
which the tier does not grant is taken out.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from extproc.errors import ClientError
from extproc.prediction import Kind, Query


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that passed the gate."""

    query: Query
    body: bytes
    """What goes on to the model server."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The request fields of an API."""

    passing: frozenset[str]
    granted: Mapping[str, Kind]
    """Fields that ask for a kind: taken out where the tier does not grant it."""

    def admit(
        self, body: dict[str, Any], granted: Collection[Kind], extra: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return the body as it may go on: itself where nothing is taken out."""
        for name in body:
            if name not in self.passing and name not in self.granted and name not in extra:
                raise ClientError(f"Unrecognized request argument: {name[:64]!r}.")
        kept = {
            name: value
            for name, value in body.items()
            if name not in self.granted or self.granted[name] in granted
        }
        return body if len(kept) == len(body) else kept


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


def forward(original: bytes, read: dict[str, Any], admitted: dict[str, Any]) -> bytes:
    """The body that goes on: byte for byte the client's where nothing was taken out."""
    return original if admitted is read else orjson.dumps(admitted)
