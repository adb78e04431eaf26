"""Answers that no model gave: our own denials and Envoy's own errors, on their way to the client.

They pass the response path of ext_proc too, in a stream that begins with response headers.  Rule:
their body never passes; it is written anew from the status, so that an error looks the same
whoever made it and a body that came by without being asked for cannot slip through.
"""

from collections.abc import Sequence

from extproc import grpc_status
from extproc.dialects import Dialect, OpenAIChat
from extproc.events import (
    Abort,
    Action,
    Event,
    ReplaceResponse,
    ResponseHeaders,
    SendResponseHeaders,
    Work,
)
from extproc.refusal import UPSTREAM_UNREADABLE, Refusal, of_status
from extproc.response_headers import removable


class LocalReply:
    """The exchange of a request that was answered before it reached the model."""

    held = 0
    working = False

    def __init__(self, denied: Refusal | None, dialect: Dialect | None) -> None:
        self.outcome = "unfinished"
        self.done = False
        self._denied = denied
        self._dialect = dialect or OpenAIChat()

    def receive(self, event: Event | Work) -> Sequence[Action]:
        """Replace the reply; nothing more comes for it, and what comes is not sent."""
        if self.done or not isinstance(event, ResponseHeaders):
            return []
        self.done = True
        if event.headers.get("grpc-status", "0") != "0" and event.end:
            return self._grpc(event)
        refusal = self._denied or of_status(event.status)
        self.outcome = refusal.code
        if event.status < 400:
            return [Abort("extproc_unprocessed_request")]
        headers = {"content-type": "application/json"}
        body = self._dialect.error(refusal)
        return [ReplaceResponse(event.status, headers, removable(event.headers), body)]

    def refuse(self, refusal: Refusal) -> Sequence[Action]:
        """Nothing is held here, so there is nothing to give up."""
        return []

    def _grpc(self, event: ResponseHeaders) -> Sequence[Action]:
        """A gRPC client's denial is header fields alone (gRPC over HTTP/2, "Trailers-Only")."""
        failed = None if self._denied else grpc_status.failure(event.headers["grpc-status"])
        refusal = failed or self._denied or UPSTREAM_UNREADABLE
        self.outcome = refusal.code
        headers = {"grpc-message": refusal.message}
        if failed is None:  # Envoy's number stands for an error of its own alone
            headers["grpc-status"] = str(grpc_status.of_refusal(refusal))
        keep = {"grpc-status", "grpc-message"}
        remove = tuple(name for name in removable(event.headers) if name not in keep)
        return [SendResponseHeaders(headers, remove)]
