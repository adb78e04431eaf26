"""A JSON Schema that requests must keep.

Rule: compiled when the policy is (config/inputs.py); what is told of a mistake is where it is and
which keyword of the schema it breaks, with that keyword's bound.  The library's own message would
repeat the value.

Source: JSON Schema 2020-12; jsonschema-rs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from extproc.cause import Cause
from extproc.errors import ClientError
from extproc.refusal import INVALID_REQUEST
from extproc.validation.place import at, shown

_REFUSED: Final = INVALID_REQUEST.called(Cause.INPUT_SCHEMA)


class Mistake(Protocol):
    """What jsonschema-rs tells of a document that is not valid."""

    @property
    def instance_path(self) -> Sequence[str | int]: ...

    @property
    def schema_path(self) -> Sequence[str | int]: ...

    @property
    def kind(self) -> Any: ...


class Validator(Protocol):
    """A compiled schema."""

    def is_valid(self, instance: Any) -> bool: ...

    def iter_errors(self, instance: Any) -> Iterator[Any]:
        """Each is a Mistake, and an exception that nobody raises."""
        ...


@dataclass(frozen=True, slots=True)
class Schema:
    validator: Validator
    digest: str
    """Of the schema's text."""

    def check(self, document: Any) -> None:
        """Raise ClientError where the document is not valid."""
        if self.validator.is_valid(document):
            return
        raise ClientError(_told(next(self.validator.iter_errors(document))), _REFUSED)


def _told(mistake: Mistake) -> str:
    limit = getattr(mistake.kind, "limit", None)
    bound = f" {limit}" if type(limit) in (int, float) else ""
    keyword, *_ = *reversed(mistake.schema_path), "false"
    rule = repr(f"{keyword}{bound}")
    return f"{shown(_place(mistake.instance_path))} breaks {rule} of this path's schema."


def _place(path: Sequence[str | int]) -> str:
    place = ""
    for step in path:
        place = f"{place}[{step}]" if isinstance(step, int) else at(place, step)
    return place
