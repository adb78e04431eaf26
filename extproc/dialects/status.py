"""Paths of which only the status is of interest: health, readiness.  No body passes, either way."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import msgspec
import orjson

from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Fields, Node
from extproc.prediction import Kind, Query
from extproc.refusal import Refusal


class Status(
    msgspec.Struct, frozen=True, tag_field="kind", tag="status", forbid_unknown_fields=True
):
    """A path whose answer is its status alone."""

    sentinels: ClassVar[frozenset[bytes]] = frozenset()

    def read(self, body: bytes, parameters: Mapping[str, str], granted: Collection[Kind]) -> Asked:
        require(not body, "This path takes no body.")
        return Asked(Query(parameters.get("model", ""), inputs=0), b"")

    def answer(self) -> Node:
        return Fields({})

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message})
