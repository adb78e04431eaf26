"""Answers that no model gave: our own denials and Envoy's own errors, on their way to the client.

They pass the response path of ext_proc too, in a stream that begins with response headers.  Rule:
nothing of them passes; they are answered anew from the status, by the same message that refuses a
request for its body, so that an error looks the same whoever made it and where.
"""

from collections.abc import Sequence

from extproc import grpc_status
from extproc.constant_rate import Filler
from extproc.dialects import Dialect
from extproc.dialects.problem import UNROUTED
from extproc.events import (
    Abort,
    Action,
    Event,
    ResponseHeaders,
    SendResponseHeaders,
    Work,
)
from extproc.exhaustion import Reserving
from extproc.limits import Reserved
from extproc.rate_limit_fields import said
from extproc.refusal import CHALLENGE, UPSTREAM_UNREADABLE, Refusal, of_status
from extproc.reply import reply
from extproc.response_headers import removable
from extproc.shaping import UNSHAPED, Shaping


class LocalReply:
    """The exchange of a request that was answered before it reached the model."""

    held = 0
    working = False
    reserving: Reserving | None = None
    filler: Filler | None = None

    def __init__(
        self, denied: Refusal | None, dialect: Dialect | None, shaping: Shaping = UNSHAPED
    ) -> None:
        self.outcome = self.verdict = "unfinished"
        self.status = 0
        """What the client gets."""
        self.done = False
        self._denied = denied
        self._dialect = dialect or UNROUTED
        self._buckets = shaping.buckets

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
        """Replace the reply; nothing more comes for it, and what comes is not sent."""
        if self.done or not isinstance(event, ResponseHeaders):
            return []
        if event.headers.get("grpc-status", "0") != "0" and event.end:
            return self._grpc(event)
        refusal = self._refusal(event)
        if event.status < 400:
            self._finish(refusal, 0)
            return [Abort("extproc_unprocessed_request")]
        return self.refuse(refusal)

    def refuse(self, refusal: Refusal) -> Sequence[Action]:
        """Answer so, unless it has been answered."""
        if self.done:
            return []
        answer = reply(refusal, self._dialect, self._buckets)
        self._finish(refusal, answer.status)
        return [answer]

    def _finish(self, refusal: Refusal, status: int) -> None:
        self.done, self.status = True, status
        self.outcome, self.verdict = refusal.outcome, refusal.code

    def _refusal(self, event: ResponseHeaders) -> Refusal:
        """Ours, to be tried again when and as ext_authz has said; or what stands for Envoy's."""
        if self._denied is None:
            return of_status(event.status)
        denied = self._denied.after_field(event.headers.get("retry-after", ""))
        denied = denied.telling(said(event.headers))
        return denied.posing_field(event.headers.get(CHALLENGE, ""))

    def _grpc(self, event: ResponseHeaders) -> Sequence[Action]:
        """A gRPC client's denial is header fields alone (gRPC over HTTP/2, "Trailers-Only")."""
        failed = None if self._denied else grpc_status.failure(event.headers["grpc-status"])
        refusal = failed or self._denied or UPSTREAM_UNREADABLE
        self._finish(refusal, event.status)
        headers = {"grpc-message": refusal.message}
        if failed is None:  # Envoy's number stands for an error of its own alone
            headers["grpc-status"] = str(grpc_status.of_refusal(refusal))
        keep = {"grpc-status", "grpc-message"}
        if self._denied is not None and self._buckets is None:
            keep |= {CHALLENGE, *said(event.headers)}
        remove = tuple(name for name in removable(event.headers) if name not in keep)
        return [SendResponseHeaders(headers, remove)]
