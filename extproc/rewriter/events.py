"""A stream of server-sent events, each with one JSON document or a sentinel as its data."""

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import orjson

from extproc.dialects.answers import Events
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError
from extproc.framing.sse import Event, EventStream, render
from extproc.rewriter.document import rewritten
from extproc.rewriter.nulls import NulllessEvents

# What is written behind ``event:`` must not be able to begin a line of its own.
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class EventRewriter:
    set_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, answer: Events, run: Rewrite, cap: int) -> None:
        self._node, self._sentinels, self._named = answer.node, answer.sentinels, answer.named
        self._run = run
        events = EventStream(cap)
        hidden = answer.counts in run.unasked
        self._events = NulllessEvents(events, answer.counts) if hidden else events

    @property
    def held(self) -> int:
        return self._events.held

    def feed(self, data: bytes) -> Iterator[bytes]:
        return map(self._rewrite, self._events.feed(data))

    def finish(self) -> Iterator[bytes]:
        return map(self._rewrite, self._events.finish())

    def cut(self, error: bytes) -> bytes | None:
        """Clients take a stream that merely ends for a whole answer; an error event they report."""
        return render(error, "error" if self._named else "")

    def _rewrite(self, event: Event) -> bytes:
        if event.data is None:
            return b":\n\n" if event.raw.lstrip(b"\r\n").startswith(b":") else b""
        if event.data in self._sentinels:
            return event.raw if event.plain else render(event.data)
        data = rewritten(event.data, self._node, self._run)
        if data is None:
            return b""
        if self._named:
            return render(data, _name(data))
        return event.raw if data is event.data and event.plain else render(data)


def _name(document: bytes) -> str:
    """The ``type`` of an event's document, which is its name too."""
    value = orjson.loads(document)
    name = value.get("type") if isinstance(value, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UpstreamError("an event has no type")
    return name
