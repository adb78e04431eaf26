"""How a refusal is told: the status, header fields and body that a client gets.

Rule: they follow from the class of the refusal and the API of its route, and from nothing else; so
whoever refuses, here or in the other of Envoy's two filters, says the same bytes in the same order.
What a client may solve to be served stands in the body, in every API at the same place: it is a
member ``challenge`` beside the error and not in it, where no client's own types look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from extproc.refusal import CHALLENGE, INVALID_REQUEST, SHOULD_RETRY, Refusal


class Wording(Protocol):
    """An API, as far as it words errors."""

    ERRORS: ClassVar[str]
    """The media type of its errors."""
    MALFORMED: ClassVar[int]
    """What its servers answer to a request that they cannot read: 400, or 422."""

    def error(self, refusal: Refusal) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Told:
    status: int
    headers: Mapping[str, str]
    body: bytes


def told(refusal: Refusal, wording: Wording, *, alike: bool = False) -> Told:
    """The refusal in the words of an API.

    ``alike``: where lengths are hidden, no refusal has a field that others, and answers, lack; but
    for the two that HTTP has for their status.
    """
    if refusal.code == INVALID_REQUEST.code:
        refusal = replace(refusal, status=wording.MALFORMED)
    headers = {"content-type": wording.ERRORS, **refusal.headers}
    if alike:
        headers.pop(SHOULD_RETRY, None)
        headers.pop(CHALLENGE, None)
    return Told(refusal.status, headers, _body(refusal, wording))


def _body(refusal: Refusal, wording: Wording) -> bytes:
    error = wording.error(refusal)
    if not refusal.puzzle or not error.endswith(b"}"):  # a gRPC error is a line of text
        return error
    return b'%b,"challenge":%b}' % (error[:-1], refusal.puzzle.encode())
