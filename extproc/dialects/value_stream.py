"""Rewrite an answer of any size, value by value, along the tree of shape.py.

Rule: a byte leaves when it is known that it may.  Until then it is held, with the comma, the name
and the space before it, and no more than ``cap`` bytes are ever held.  What the tree takes apart
(Fields, Items, open Gates) is walked; what does not pass is skipped unread, but for token counts;
of the rest each value is rewritten whole, a unit.  What is Gathered is walked aside: see walked.py.
Laws: the output does not depend on how the body was cut; it is what ``node.rewrite`` makes of the
whole document; what passes unchanged passes byte for byte.

====== ==================================== ===================================
Step   reads                                and goes on to
====== ==================================== ===================================
value  the first byte of a value            unit, skip, or into it: first
first  what may stand behind [ or {         name or value, or out of it: after
name   a member's name                      colon
colon  the colon behind it                  value
unit   the rest of a value                  work
work   nothing: a unit is rewritten         after
skip   the rest of a value                  after
after  a comma, or the closing bracket      name or value, or out of it: after
end    space behind the document            end
====== ==================================== ===================================
"""

from collections.abc import Callable
from typing import Final

import orjson

from extproc.dialects.answers import Steps, at_once
from extproc.dialects.gathered import Collected, Gathered
from extproc.dialects.json_scanner import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    SPACE,
    Extent,
    Skip,
    invalid,
    parse,
    past,
)
from extproc.dialects.request import repeats_a_key
from extproc.dialects.shape import (
    ABSENT,
    Either,
    Fields,
    Gate,
    Items,
    Json,
    Node,
    Rewrite,
    Rows,
)
from extproc.dialects.turns import STEP, in_turns
from extproc.dialects.walked import UNKNOWN, Aside, Frame, flat_object, is_closed
from extproc.errors import UpstreamError
from extproc.prediction import Kind

_SPACE: Final = ord(" ")  # all of JSON's space is this or below


class ValueStream:
    """One document; every method raises UpstreamError where it is not what its API promises."""

    def __init__(self, node: Node, run: Rewrite, cap: int) -> None:
        self._run, self._cap = run, cap
        self._buffer = bytearray()
        self._held_from = 0
        """Where in the buffer the bytes begin of which it is not known whether they pass."""
        self._at = 0
        """How far the buffer was read."""
        self._limit = 0
        """How far it may be read: nothing that is held is larger than the cap."""
        self._comma: int | None = None
        """Where among the bytes held a comma stands that only the second to pass needs."""
        self._out: list[bytes | bytearray] = []
        self._sink = self._out
        """Where what passes goes: out, or aside."""
        self._aside: Aside | None = None
        self._frames = [Frame(Items(node), "", CLOSE_ARRAY)]
        self._gates: list[tuple[int, Kind | None]] = []
        """Those that are being walked through: how many frames are around each, and what they are
        within.  Only where bits are counted."""
        self._node, self._place = node, ""
        self._extent, self._skipped = Extent(), Skip()
        self._step: Callable[[], bool] = self._value
        self._work: Steps[Json]
        """What is being made of a unit, and what it was read of: its end, its text, its value."""
        self._read: tuple[int, bytes, Json]
        self._turn = False
        """Whether it is time that others have their turn."""
        self._broken = False
        """Whether an error was raised, behind which nothing can be read."""

    @property
    def held(self) -> int:
        """Bytes taken in and neither given out nor dropped yet."""
        return len(self._buffer) + (self._aside.held if self._aside is not None else 0)

    @property
    def ended(self) -> bool:
        """Whether the document is complete."""
        return self._step == self._end

    def passed(self) -> bytes:
        """What may leave of what was fed with an error; behind it nothing does."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def feed(self, data: bytes) -> bytes:
        """Return what may leave."""
        return at_once(self.turns(data))

    def turns(self, data: bytes) -> Steps[bytes]:
        """The same, in steps between which others have their turn."""
        if self._broken:
            raise invalid()
        self._broken = True
        self._buffer += data
        self._limit, begun = min(len(self._buffer), self._cap), self._at
        while self._step():
            if self._turn or self._at - begun >= STEP:
                begun, self._turn = self._at, False
                yield
        if len(self._buffer) - self._held_from > self._cap:
            raise UpstreamError(f"{self._place or 'the answer'} is larger than {self._cap} bytes")
        if self._aside is not None:
            self._aside.bound(self._sink, self._cap)
        self._broken = False
        return self._give_out()

    def finish(self) -> bytes:
        """Return what the end of the body lets leave."""
        out = self.feed(b" ")  # ends a number as well
        if not self.ended:
            raise UpstreamError("the answer ends too early")
        return out[:-1]

    def _give_out(self) -> bytes:
        del self._buffer[: self._held_from]
        self._at -= self._held_from
        if self._comma is not None:
            self._comma -= self._held_from
        self._held_from = 0
        return self.passed()

    # The steps.  Each returns False where it has to wait for more.

    def _value(self) -> bool:
        byte = self._peek()
        if byte is None:
            return False
        while (inner := self._inner(byte)) is not self._node:
            if inner is None:
                return False
            self._node = inner
        if is_closed(self._node, byte, self._run):
            self._drop()
        elif byte == OPEN_OBJECT and isinstance(self._node, Fields):
            if not self._rewrite_flat(self._node):
                self._open(Frame(self._node, self._place, CLOSE_OBJECT))
        elif byte == OPEN_ARRAY and isinstance(self._node, Items):
            self._open(Frame(self._node, self._place, CLOSE_ARRAY))
        else:
            self._extent = Extent()
            self._step = self._unit
        return True

    def _first(self) -> bool:
        byte = self._peek()
        if byte is None:
            return False
        if byte == self._frames[-1].closer:
            self._close()
        else:
            self._element()
        return True

    def _name(self) -> bool:
        byte = self._peek()
        if byte is None:
            return False
        if byte != QUOTE:
            raise invalid()
        end = self._extent.find(self._buffer, self._at, self._limit)
        if end is None:
            return False
        self._enter_member(parse(self._buffer[self._at : end]))
        self._at = end
        self._step = self._colon
        return True

    def _colon(self) -> bool:
        byte = self._peek()
        if byte is None:
            return False
        if byte != COLON:
            raise invalid()
        self._at, self._step = self._at + 1, self._value
        return True

    def _unit(self) -> bool:
        end = self._extent.find(self._buffer, self._at, self._limit)
        if end is None:
            return False
        raw = bytes(self._buffer[self._at : end])
        value = parse(raw)
        self._read = end, raw, value
        if len(raw) <= STEP:
            self._worked(self._node.rewrite(value, self._run, self._place))
        else:
            self._work = in_turns(self._node, value, self._run, self._place, len(raw))
            self._step, self._turn = self._working, True
        return True

    def _working(self) -> bool:
        try:
            next(self._work)
        except StopIteration as done:
            self._worked(done.value)
        else:
            self._turn = True
        return True

    def _worked(self, after: Json) -> None:
        end, raw, value = self._read
        if after is value and not (b"{" in raw and repeats_a_key(raw, value)):
            self._keep(end)
        elif after is not ABSENT:
            self._keep(self._at)
            self._sink.append(orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY))
        self._forget(end)
        self._complete()

    def _skip(self) -> bool:
        start = self._at
        self._forget(self._skipped.feed(self._buffer, start, self._limit))
        if self._skipped.done:
            self._complete()
        return self._at > start

    def _after(self) -> bool:
        byte = self._peek()
        if byte is None:
            return False
        if byte == self._frames[-1].closer:
            self._close()
        elif byte == COMMA:
            self._comma = self._at
            self._at += 1
            self._element()
        else:
            raise invalid()
        return True

    def _end(self) -> bool:
        if self._peek() is not None:
            raise invalid()
        more = self._at > self._held_from
        self._keep(self._at)
        return more

    # What the steps are made of.

    def _peek(self) -> int | None:
        """The next byte that is no space."""
        if self._at < self._limit and self._buffer[self._at] > _SPACE:
            return self._buffer[self._at]
        self._at = past(SPACE, self._buffer, self._at, self._limit)
        return self._buffer[self._at] if self._at < self._limit else None

    def _inner(self, byte: int) -> Node | None:
        """What decides about the value in the node's place; None where that is not known yet."""
        node = self._node
        if isinstance(node, Gathered):
            if self._run.gathers:
                self._walk_aside(node)
            return node.node
        if isinstance(node, Gate) and node.kind in self._run.edits:
            if self._run.told.measure is not None:
                self._gates.append((len(self._frames), self._run.told.enter(node.kind)))
            return node.node
        if isinstance(node, Either):
            return {OPEN_OBJECT: node.object, OPEN_ARRAY: node.array}.get(byte, node.scalar)
        if isinstance(node, Rows):
            if byte != OPEN_ARRAY:
                return node.row
            at = past(SPACE, self._buffer, self._at + 1, self._limit)
            return node.within(nested=self._buffer[at] == OPEN_ARRAY) if at < self._limit else None
        return node

    def _rewrite_flat(self, node: Fields) -> bool:
        """Rewrite an object at once, if all of it is here, it holds no arrays or objects, and it is
        written as we write: then this gives the very bytes that a walk would give, sooner.
        """
        value, end = flat_object(self._buffer, self._at, self._limit, self._cap)
        if value is None:
            return False
        self._read = end, b"", value
        self._worked(node.rewrite(value, self._run, self._place))
        return True

    def _element(self) -> None:
        """An item or a member begins."""
        frame = self._frames[-1]
        if isinstance(frame.node, Items):
            self._node, self._place = frame.node.node, f"{frame.place}[]"
            self._step = self._value
            if frame.node.each:
                self._run.at = frame.items
                frame.items += 1
        else:
            self._extent = Extent()
            self._step = self._name

    def _enter_member(self, name: str) -> None:
        frame = self._frames[-1]
        assert isinstance(frame.node, Fields)
        self._node = frame.node.fields.get(name, UNKNOWN)
        self._place = "*" if self._node is UNKNOWN else name
        if frame.place:
            self._place = f"{frame.place}.{self._place}"
        frame.add(name, self._cap)

    def _complete(self) -> None:
        """A value has ended.  Raise UpstreamError where it was the answer, and nothing passed."""
        while self._gates and self._gates[-1][0] == len(self._frames):
            self._run.told.within = self._gates.pop()[1]
        if self._aside is not None and self._aside.depth == len(self._frames):
            self._fill(self._aside)
        self._step = self._after if len(self._frames) > 1 else self._end
        if self._step == self._end and not self._frames[0].kept:
            raise UpstreamError("the answer holds nothing that may pass")

    def _walk_aside(self, node: Gathered) -> None:
        self._keep(self._at)
        collected = Collected(self._run)
        self._aside = Aside(node, self._place, len(self._frames), self._run, collected)
        self._run, self._sink = collected.first, []

    def _fill(self, aside: Aside) -> None:
        """The gathered value has ended: what became of its vectors can be told."""
        filled = aside.filled(parse(b"".join(self._sink)))
        self._run, self._sink, self._aside = aside.run, self._out, None
        self._out.append(orjson.dumps(filled, option=orjson.OPT_SERIALIZE_NUMPY))

    def _open(self, frame: Frame) -> None:
        self._keep(self._at + 1)
        self._frames.append(frame)
        self._step = self._first

    def _close(self) -> None:
        frame = self._frames.pop()
        if isinstance(frame.node, Items) and frame.node.each:
            self._run.at = None
        self._keep(self._at + 1)
        self._complete()

    def _drop(self) -> None:
        """Skip the value, and leave behind what a closed node leaves, which never reads it."""
        if self._node.rewrite(ABSENT, self._run, self._place) is None:
            self._keep(self._at)
            self._sink.append(b"null")
        self._forget(self._at)
        self._skipped = Skip()
        self._step = self._skip

    def _keep(self, end: int) -> None:
        """Let through what is held, and what follows it up to ``end``."""
        frame = self._frames[-1]
        if self._comma is not None and not frame.kept:
            self._sink.append(self._buffer[self._held_from : self._comma])
            self._held_from = self._comma + 1
        frame.kept = True
        self._sink.append(self._buffer[self._held_from : end])
        self._forget(end)

    def _forget(self, end: int) -> None:
        """Hold nothing of what stands before ``end``."""
        self._at = self._held_from = end
        self._limit = min(len(self._buffer), end + self._cap)
        self._comma = None
