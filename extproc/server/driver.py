"""Carries out what an exchange decides.  The only place that awaits while a body is in flight.

Rule: the driver returns in one case alone, when Envoy has ended its side after the exchange was
over.  Every other way out is an exception, which processor.py turns into an error status: a clean
end while Envoy waits would let the rest of the body pass unprocessed.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

import grpc

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.constant_rate import Filler
from extproc.errors import ProtocolError
from extproc.events import Action, Event, ResponseBody, Work
from extproc.refusal import OVERLOADED, Refusal
from extproc.server import protobuf
from extproc.server.held import Held
from extproc.server.pacer import LEFT, Pacer

SLICE = 8 << 10
"""Bytes of an answer that are rewritten before other exchanges get their turn.

Under 5 ms, even where they hold nothing but log probabilities.
"""

EOF: Final = grpc.aio.EOF  # type: ignore[attr-defined]  # the stubs do not know it


class Machine(Protocol):
    """What is driven: an Exchange, one in the shadow, or a LocalReply."""

    @property
    def held(self) -> int: ...

    @property
    def done(self) -> bool:
        """Whether nothing more is said, whatever comes."""
        ...

    @property
    def filler(self) -> Filler | None:
        """See pacer.Speaker."""
        ...

    @property
    def working(self) -> bool:
        """Whether it wants to go on with the last event, when others have had a turn."""
        ...

    def receive(self, event: Event | Work) -> Sequence[Action]: ...

    def refuse(self, refusal: Refusal) -> Sequence[Action]: ...


async def drive(machine: Machine, first: ProcessingRequest, pacer: Pacer, held: Held) -> None:
    """Feed Envoy's messages to the machine and send what it answers, until Envoy is done.

    Raise ProtocolError where Envoy's side ends before the exchange has, as a broken read looks too.
    """
    kept = 0
    try:
        message: Any = first
        while message is not EOF:
            for number, event in enumerate(_turns(machine, message)):
                if number:
                    await asyncio.sleep(0)  # between messages, reading lets others have a turn
                actions = machine.receive(event)
                await pacer.send(actions, machine)
                before, kept = kept, machine.held + pacer.held
                if not held.change(before, kept):
                    await pacer.send(machine.refuse(OVERLOADED), machine)
                    before, kept = kept, machine.held + pacer.held
                    held.change(before, kept)
            message = await pacer.next()
            before, kept = kept, machine.held + pacer.held
            held.change(before, kept)
        over = machine.done and not pacer.waiting
    except Exception:
        await pacer.fault()
        raise
    finally:
        pacer.close()
        held.change(kept, 0)
    if not over:
        raise ProtocolError("Envoy's side ended in the middle of an exchange")


def _turns(machine: Machine, message: Any) -> Iterator[Event | Work]:
    """The events of a message, and after each as often as the machine wants to go on with it."""
    for event in _events(message):
        yield event
        while machine.working:
            yield Work()


def _events(message: Any) -> Iterable[Event]:
    """A large piece of an answer as several, so that rewriting it never blocks the loop."""
    if message is LEFT:
        return ()
    event = protobuf.event(message)
    if not isinstance(event, ResponseBody) or len(event.data) <= SLICE:
        return (event,)
    return _cut(event.data, event.end)


def _cut(data: bytes, end: bool) -> Iterator[ResponseBody]:
    for start in range(0, len(data), SLICE):
        last = start + SLICE >= len(data)
        yield ResponseBody(data[start : start + SLICE], end and last)
