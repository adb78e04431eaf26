"""Carries out what an exchange decides.  The only place that awaits while a body is in flight.

Rule: the driver returns in one case alone, when Envoy has ended its side after the exchange was
over.  Every other way out is an exception, which processor.py turns into an error status: a clean
end while Envoy waits would let the rest of the body pass unprocessed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

import grpc

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.constant_rate import Filler
from extproc.errors import ProtocolError
from extproc.events import Action, Event, ResponseBody, Work
from extproc.exhaustion import Reserving
from extproc.limits import Reserved
from extproc.refusal import OVERLOADED, Refusal
from extproc.server import protobuf
from extproc.server.held import Held, Share
from extproc.server.pacer import LEFT, Pacer
from extproc.server.stopwatch import Stopwatch

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

    @property
    def reserving(self) -> Reserving | None:
        """What is to be taken before it goes on: what the store said is the next it receives."""
        ...

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]: ...

    def refuse(self, refusal: Refusal) -> Sequence[Action]: ...


Reserve = Callable[[Reserving], Awaitable[Reserved]]
"""Asks the store."""


async def drive(
    machine: Machine,
    first: ProcessingRequest,
    pacer: Pacer,
    held: Held,
    reserve: Reserve,
    own: Stopwatch | None = None,
) -> None:
    """Feed Envoy's messages to the machine and send what it answers, until Envoy is done.

    ``own`` is counted on while something is done here.

    Raise ProtocolError where Envoy's side ends before the exchange has, as a broken read looks too.
    """
    share, own = held.share(), own or Stopwatch()
    try:
        message: Any = first
        while message is not EOF:
            with own.running():
                if message is LEFT:
                    share.keep(machine.held + pacer.held)
                else:
                    await _take_message(message, machine, pacer, share, reserve)
            message = await pacer.next()
        over = machine.done and not pacer.waiting
    except Exception:
        await pacer.fault()
        raise
    finally:
        pacer.close()
        share.keep(0)
    if not over:
        raise ProtocolError("Envoy's side ended in the middle of an exchange")


async def _take_message(
    message: ProcessingRequest, machine: Machine, pacer: Pacer, share: Share, reserve: Reserve
) -> None:
    event = protobuf.event(message)
    if isinstance(event, ResponseBody) and len(event.data) > SLICE:
        await _take_slices(event, machine, pacer, share)
        return
    await _take(event, machine, pacer, share)
    while (wanted := machine.reserving) is not None:
        await _take(await reserve(wanted), machine, pacer, share)


async def _take_slices(body: ResponseBody, machine: Machine, pacer: Pacer, share: Share) -> None:
    """A large piece of an answer in slices, so that rewriting it never blocks the loop.

    Between messages, reading lets others have a turn; within one it must be given.
    """
    for start in range(0, len(body.data), SLICE):
        last = start + SLICE >= len(body.data)
        piece = ResponseBody(body.data[start : start + SLICE], body.end and last)
        await _take(piece, machine, pacer, share)
        await asyncio.sleep(0)


async def _take(event: Event | Reserved, machine: Machine, pacer: Pacer, share: Share) -> None:
    step: Event | Work | Reserved = event
    while True:
        await pacer.send(machine.receive(step), machine)
        if not share.keep(machine.held + pacer.held):
            last = machine.refuse(OVERLOADED)
            share.keep(machine.held + pacer.held)
            await pacer.send(last, machine)
            share.keep(machine.held + pacer.held)
        if not machine.working:
            return
        await asyncio.sleep(0)
        step = _WORK


_WORK: Final = Work()
