"""Paths of which only the status is of interest: health, readiness.  No body passes, either way."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from extproc.dialects.answers import Answers
from extproc.dialects.dialect import JSON, Parameters
from extproc.dialects.gate import Terms
from extproc.dialects.problem import PROBLEM, problem
from extproc.dialects.request import Asked, require
from extproc.prediction import Query
from extproc.refusal import Refusal


class Status(
    msgspec.Struct, frozen=True, tag_field="kind", tag="status", forbid_unknown_fields=True
):
    """A path whose answer is its status alone."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset({JSON})
    HEADERS: ClassVar[tuple[str, ...]] = ()
    QUERY: ClassVar[Mapping[str, frozenset[str]]] = {}
    METHODS: ClassVar[tuple[str, ...]] = ("GET",)
    ERRORS: ClassVar[str] = PROBLEM
    MALFORMED: ClassVar[int] = 400

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        require(not body, "This path takes no body.")
        return Asked(Query(parameters.get("model", ""), inputs=0), b"")

    def answers(self) -> Answers:
        return {}

    def positional(self) -> bool:
        return False

    def error(self, refusal: Refusal) -> bytes:
        return problem(refusal)
