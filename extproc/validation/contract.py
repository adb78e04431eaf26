"""What a route asks of its requests, and in which order it is looked at: the cheap things first."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from extproc.cause import Cause
from extproc.dialects.request import Asked
from extproc.errors import ClientError
from extproc.refusal import INVALID_REQUEST
from extproc.validation.domain import Domain, found
from extproc.validation.schema import Schema
from extproc.validation.size import Size
from extproc.validation.tensors import TensorDomain, check_tensors

_REFUSED: Final = INVALID_REQUEST.called(Cause.INPUT_BATCH)

_UNBOUNDED = Size()


class Contract(Struct, frozen=True):
    """What the requests of one route must be."""

    body: int = 1 << 50
    """Bytes."""
    headers: int | None = None
    """Bytes of all names and values."""
    batch: int | None = None
    """Inputs of one request."""
    size: Size = _UNBOUNDED
    schema: Schema | None = None
    fields: Mapping[str, Domain] = {}
    """By the path of names, dotted."""
    tensors: Mapping[str, TensorDomain] = {}
    """By name."""

    @property
    def documents(self) -> bool:
        """Whether it has to see the request as JSON."""
        return self.size != _UNBOUNDED or self.schema is not None or bool(self.fields)

    def check_document(self, document: Any) -> None:
        """Raise ClientError where a JSON body is not what it must be."""
        if self.size != _UNBOUNDED or self.fields:
            self.size.check(document)
        if self.schema is not None:
            self.schema.check(document)
        for place, domain in self.fields.items():
            # All at once: what of it is not null is an array of what the domain speaks of.
            values = [value for value in found(document, place.split(".")) if value is not None]
            domain.check(values, place)

    def check(self, asked: Asked) -> None:
        """Raise ClientError where what a dialect has read is not what it must be."""
        if self.batch is not None and asked.query.inputs > self.batch:
            raise ClientError(f"The request holds more than {self.batch} inputs.", _REFUSED)
        if self.tensors:
            check_tensors(asked.tensors or (), self.tensors)

    def admits_headers(self, headers: Mapping[str, str]) -> bool:
        if self.headers is None:
            return True
        return sum(map(len, headers)) + sum(map(len, headers.values())) <= self.headers
