"""Events without a member that is null, and otherwise byte for byte as they came.

Rule: the member goes out of the bytes, since writing the event anew would show in how its numbers
and characters are written.  Only where its bytes cannot be told apart from others is that done.
"""

import re
from collections.abc import Iterator

import orjson

from extproc.framing.sse import Event, EventStream


class NulllessEvents:
    """As EventStream."""

    def __init__(self, events: EventStream, member: str) -> None:
        self._events, self._member = events, member
        name = b'"' + re.escape(member).encode() + b'"'
        self._pattern = re.compile(
            rb",\s*%(name)s\s*:\s*null\b|%(name)s\s*:\s*null\s*,\s*" % {b"name": name}
        )

    @property
    def held(self) -> int:
        return self._events.held

    def feed(self, data: bytes) -> Iterator[Event]:
        return map(self._without, self._events.feed(data))

    def finish(self) -> Iterator[Event]:
        return map(self._without, self._events.finish())

    def _without(self, event: Event) -> Event:
        data = self._stripped(event.data) if event.data is not None else None
        if data is None or event.data is None:
            return event
        if event.raw.count(event.data) == 1:
            return Event(event.raw.replace(event.data, data), data, event.plain)
        return Event(event.raw, data, plain=False)

    def _stripped(self, document: bytes) -> bytes | None:
        """The document without the member; None where it is not there, or not null."""
        try:
            value = orjson.loads(document)
        except orjson.JSONDecodeError:
            return None  # a sentinel, or what the rewriter refuses
        if not isinstance(value, dict) or value.get(self._member, "") is not None:
            return None
        del value[self._member]
        # A name behind a comma or before a colon is none within a string, where quotes are escaped;
        # but it may be that of an object inside.
        stripped = self._pattern.sub(b"", document)
        return stripped if orjson.loads(stripped) == value else orjson.dumps(value)
