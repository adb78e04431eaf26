"""A request, and an answer to it, through admission and an exchange: all but the wires.

Limits are not taken and no store is asked: what a request counts against is told, not counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from extproc.admission import Admitted, Denied, admit
from extproc.beginning import begin
from extproc.credentials import Needed
from extproc.dialects.request import Asked
from extproc.errors import ClientError
from extproc.events import (
    Abort,
    Action,
    CheckedRequest,
    Event,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    Respond,
    ResponseBody,
    ResponseHeaders,
    SendResponseBody,
    SendResponseHeaders,
    Work,
)
from extproc.exchange import Exchange
from extproc.incoming import Incoming
from extproc.local_reply import LocalReply
from extproc.policy import Policy, PolicyTable
from extproc.refusal import UNKNOWN_MODEL, Refusal
from extproc.shadow import ShadowExchange

PIECE: Final = 8 << 10
"""Bytes of an answer that come at a time, as from server/driver.py."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool = False
    """Whether it was ended in the middle."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a request."""

    request: CheckedRequest
    body: bytes | None
    """None where it is not known."""
    decision: Admitted | Denied | Needed
    policy: Policy | None = None
    """Of the model asked; of the route, where it was refused before that was known."""
    asked: Asked | None = None
    refusal: Refusal | None = None
    """The first there was; in the shadow it changes nothing."""
    reply: Answer | None = None
    """What its client gets where it does not go on."""
    model: str = ""
    """That it will name, where its body is not known."""
    machine: Exchange | ShadowExchange | None = field(default=None, compare=False)

    @property
    def goes_on(self) -> bool:
        return self.machine is not None and self.reply is None

    @property
    def tenant(self) -> str:
        match self.decision:
            case Admitted(policy=policy):
                return policy.tenant
            case Denied(tenant=tenant):
                return tenant
            case Needed():
                return ""


def play(
    table: PolicyTable, request: CheckedRequest, body: bytes | None, now: float, model: str = ""
) -> Played:
    """Decide on a request, at ``now`` in seconds of wall time.

    With its body; or where that is None by the header fields alone, and by the model it will name.
    """
    decision = admit(request, table, now)
    match decision:
        case Needed():
            return Played(request, body, decision)
        case Denied(refusal=refusal, route=route, tenant=tenant):
            shaping = table.shaping(tenant)
            local = LocalReply(refusal, route.dialect if route is not None else None, shaping)
            reply = _answer(local.refuse(refusal))
            return Played(request, body, decision, None, None, refusal, reply)
        case Admitted(policy=policy, parameters=parameters):
            if body is None:
                return _unread(request, decision, policy, model)
            return _admitted(request, body, decision, policy, dict(parameters))


def _unread(request: CheckedRequest, decision: Admitted, policy: Policy, model: str) -> Played:
    machine = begin(policy, decision.parameters)
    applies = policy.of(model) if model else policy
    if applies is not None:
        return Played(request, None, decision, applies, machine=machine)
    actions = machine.refuse(UNKNOWN_MODEL)
    reply = _answer(actions) if actions else None
    return Played(request, None, decision, policy, None, UNKNOWN_MODEL, reply, model, machine)


def _admitted(
    request: CheckedRequest,
    body: bytes,
    decision: Admitted,
    policy: Policy,
    parameters: dict[str, str],
) -> Played:
    machine = begin(policy, parameters)
    actions = _told(machine, _arriving(body))
    applies, asked, refusal = read(policy, body, parameters)
    refused = any(isinstance(action, Respond) for action in actions)
    reply = _answer(actions) if refused else None
    return Played(request, body, decision, applies, asked, refusal, reply, machine=machine)


def read(
    policy: Policy, body: bytes, parameters: dict[str, str]
) -> tuple[Policy, Asked | None, Refusal | None]:
    """What applies to the model that a body asks, and what goes on; or why it is refused."""
    incoming = Incoming(policy, parameters)
    try:
        incoming.feed(body)
        applies, asked = incoming.read()
    except ClientError as error:
        return policy, None, error.refusal
    return applies, asked, None


def _arriving(body: bytes) -> list[Event]:
    if not body:
        return [RequestHeaders(end=True)]
    return [RequestHeaders(end=False), RequestBody(body, end=True)]


def answer(machine: Exchange | ShadowExchange, headers: ResponseHeaders, body: bytes) -> Answer:
    """What a client gets of a model server's answer."""
    events: list[Event] = [headers]
    if not headers.end:
        starts = range(0, max(len(body), 1), PIECE)
        events += [
            ResponseBody(body[start : start + PIECE], start + PIECE >= len(body))
            for start in starts
        ]
    return _answer(_told(machine, events), headers)


def _told(machine: Exchange | ShadowExchange, events: Iterable[Event]) -> list[Action]:
    return [action for event in events for action in _turns(machine, event)]


def _turns(machine: Exchange | ShadowExchange, event: Event) -> Iterator[Action]:
    yield from machine.receive(event)
    while machine.working:
        yield from machine.receive(Work())


def _answer(actions: Sequence[Action], came: ResponseHeaders | None = None) -> Answer:
    status = came.status if came is not None else 0
    headers = dict(came.headers) if came is not None else {}
    body, cut = b"", False
    for action in actions:
        match action:
            case Respond():
                return Answer(action.status, dict(action.headers), action.body)
            case SendResponseHeaders() | ReplaceResponse():
                kept = {k: v for k, v in headers.items() if k not in action.remove_headers}
                headers = {**kept, **action.set_headers}
                body += action.body if isinstance(action, ReplaceResponse) else b""
            case SendResponseBody():
                body += action.data
            case Abort():
                cut = True
            case _:
                continue
    return Answer(status, headers, body, cut)
