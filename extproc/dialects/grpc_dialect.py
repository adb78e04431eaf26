"""What the dialects of gRPC services have in common.

Rule: a request is one message, not compressed, and no compressed answer is asked for; a call that
streams is not routed to them, since it would have to go on before it has been read to its end.

Source: "gRPC over HTTP2", length-prefixed messages.
"""

import struct
from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from extproc.dialects.answers import Answers, Frames, Message
from extproc.dialects.request import require
from extproc.refusal import Refusal

GRPC: Final = frozenset({"application/grpc", "application/grpc+proto"})
PLAIN: Final = {"grpc-accept-encoding": "identity"}
"""Header fields of a request whose answer must be readable."""
_PREFIX: Final = struct.Struct(">BI")


class GrpcDialect(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """A service of which some calls, each with one request and one answer, can be routed."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = GRPC
    QUERY: ClassVar[Mapping[str, frozenset[str]]] = {}
    HEADERS: ClassVar[tuple[str, ...]] = ()
    METHODS: ClassVar[tuple[str, ...]] = ("POST",)
    ERRORS: ClassVar[str] = "application/grpc"
    MALFORMED: ClassVar[int] = 400
    SERVICE: ClassVar[str]
    """As it stands in the path."""

    def paths(self) -> tuple[str, ...]:
        """The paths of the calls that can be routed to it."""
        raise NotImplementedError

    def positional(self) -> bool:
        """As of a JsonDialect: messages have a place for each class, and for no more."""
        raise NotImplementedError

    def error(self, refusal: Refusal) -> bytes:
        """Envoy makes it the ``grpc-message``."""
        return refusal.message.encode()


def answering(message: Message) -> Answers:
    return dict.fromkeys(GRPC, Frames(message))


def unframed(body: bytes) -> bytes:
    """The one message of a request.  Raise ClientError unless it is one and plain."""
    require(len(body) >= _PREFIX.size, "The request holds no message.")
    compressed, size = _PREFIX.unpack_from(body)
    require(not compressed, "Compressed messages are not accepted: send grpc-encoding identity.")
    require(len(body) == _PREFIX.size + size, "The request is not one whole message.")
    return body[_PREFIX.size :]


def framed(message: bytes) -> bytes:
    return _PREFIX.pack(0, len(message)) + message
