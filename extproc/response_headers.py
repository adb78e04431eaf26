"""Which header fields of an answer pass.

Rule: an allow-list, as for bodies.  Model servers put snapshot names, queue and compute times into
header fields, and timing is a side channel (Carlini & Nasr 2024).  Errors take no field
along, see refusal.py.  The id of a request is ours: the form of theirs would name the server.
"""

from collections.abc import Iterable, Mapping
from typing import Final

FRAMING: Final = frozenset(
    {
        # Envoy sets it again by itself, whatever we remove.
        "date",
        # A removal would only be counted as a rejected mutation.
        "transfer-encoding",
        "connection",
    }
)
"""Envoy's own."""
PASSING: Final = FRAMING | frozenset(
    {
        "content-type",
        "cache-control",
        "vary",
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-allow-credentials",
        "access-control-expose-headers",
        "access-control-max-age",
    }
)
_ANEW: Final = PASSING - FRAMING
REQUEST_ID: Final = "x-request-id"
"""Set to the exchange's name, by which the record is found: of one form in every answer."""
SPACE_ID: Final = "x-extproc-space-id"
"""Ours: names the space of a tenant's rotated vectors, so that it is seen when an index must be
built anew.  What a model server sends by this name does not pass."""
PASSING_TRAILERS: Final = frozenset({"grpc-status"})


def passing(headers: Mapping[str, str]) -> dict[str, str]:
    """The fields of an answer that pass where Envoy writes its head anew, Envoy's own aside."""
    return {name: headers[name] for name in _ANEW if name in headers}


def removable(names: Iterable[str]) -> tuple[str, ...]:
    """The fields of an answer that do not pass; pseudo-header fields are not ours to remove."""
    return tuple(name for name in names if name not in PASSING and not name.startswith(":"))


def removable_trailers(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in PASSING_TRAILERS)
