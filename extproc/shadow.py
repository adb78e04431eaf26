"""A policy on trial: everything is decided and recorded, nothing is changed.

Rule: what Envoy sends goes back as it came, whatever the exchange in the shadow decides; its first
refusal is the outcome the record tells.  But who asks is not on trial, unless the whole file is:
the end of a body that is not the one its sender signed does not pass.
"""

from collections.abc import Mapping, Sequence

from extproc.constant_rate import Filler
from extproc.content_digest import BodyDigest
from extproc.dialects.told import Told
from extproc.errors import ProtocolError
from extproc.events import (
    Abort,
    Action,
    Event,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendRequestBody,
    SendRequestHeaders,
    SendRequestTrailers,
    SendResponseBody,
    SendResponseHeaders,
    SendResponseTrailers,
    Work,
)
from extproc.exchange import Exchange
from extproc.exhaustion import Reserving
from extproc.limits import Reserved
from extproc.prediction import Query
from extproc.refusal import FORGED, Refusal


class ShadowExchange:
    """Wraps the exchange that would have decided."""

    done = True
    """At any time: nothing hangs on how the stream ends, since everything passes anyway."""
    filler: Filler | None = None

    def __init__(self, exchange: Exchange, digest: str = "", *, identity: bool = False) -> None:
        """``digest`` is what the request's body must have, where its sender signed it;
        ``identity``: whether who asks is on trial too.
        """
        self._exchange = exchange
        self._signed = BodyDigest(digest) if digest else None
        self._identity, self._forged = identity, False
        self.status = 0
        """The model server's, which the client gets."""

    @property
    def digests(self) -> Sequence[bytes]:
        return self._exchange.digests

    @property
    def held(self) -> int:
        return self._exchange.held

    @property
    def outcome(self) -> str:
        return FORGED.outcome if self._forged else f"shadow:{self._exchange.outcome}"

    @property
    def verdict(self) -> str:
        """What a client would have known, were it not on trial."""
        return self._exchange.verdict

    @property
    def fault(self) -> str:
        return self._exchange.fault

    @property
    def query(self) -> Query | None:
        return self._exchange.query

    @property
    def changed(self) -> Mapping[str, int]:
        return self._exchange.changed

    @property
    def dropped(self) -> Mapping[str, int]:
        return self._exchange.dropped

    @property
    def told(self) -> Told:
        return self._exchange.told

    @property
    def reserving(self) -> Reserving | None:
        return self._exchange.reserving

    @property
    def inner(self) -> Exchange:
        """The exchange that decides."""
        return self._exchange

    @property
    def working(self) -> bool:
        return self._exchange.working

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
        if self._signed is not None and not self._signed.passes(event):
            if not self._identity:
                self._forged = True
                return [Abort(f"extproc_{FORGED.outcome}")]
            self._exchange.refuse(FORGED)
        if isinstance(event, ResponseHeaders):
            self.status = event.status
        try:
            self._exchange.receive(event)
        except ProtocolError as error:
            self._exchange.abandon(str(error))
        except Exception as error:  # noqa: BLE001 - on trial means that even a bug changes nothing
            self._exchange.abandon(type(error).__name__)
        return [] if isinstance(event, Work | Reserved) else [unchanged(event)]

    def refuse(self, refusal: Refusal) -> Sequence[Action]:
        """Stop looking, and let the exchange go on."""
        self._exchange.refuse(refusal)
        return []


def unchanged(event: Event) -> Action:
    """What sends it on as it came."""
    match event:
        case RequestHeaders():
            return SendRequestHeaders()
        case RequestBody(data, end):
            return SendRequestBody(data, end)
        case RequestTrailers():
            return SendRequestTrailers()
        case ResponseHeaders():
            return SendResponseHeaders()
        case ResponseBody(data, end):
            return SendResponseBody(data, end)
        case ResponseTrailers():
            return SendResponseTrailers()
