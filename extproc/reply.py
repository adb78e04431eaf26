"""A refusal as the message that Envoy answers a client by.

Rule: it follows from what wording.py tells, and from whether lengths are hidden; whoever refuses.
"""

from extproc import grpc_status
from extproc.events import Respond
from extproc.padding import Buckets, filled
from extproc.refusal import Refusal
from extproc.wording import Wording, told


def reply(
    refusal: Refusal, wording: Wording, buckets: Buckets | None, *, grpc: bool = False
) -> Respond:
    """``grpc``: the client speaks it, so that Envoy makes trailers of it, and a message of the
    body.
    """
    answer, details = (
        told(refusal, wording, alike=buckets is not None),
        f"extproc_{refusal.outcome}",
    )
    if grpc:
        status = grpc_status.of_refusal(refusal)
        # Envoy says the media type of gRPC itself.
        fields = {name: answer.headers[name] for name in refusal.headers if name in answer.headers}
        return Respond(answer.status, fields, answer.body, details, status)
    body = answer.body
    filling = body if buckets is None else filled(body, buckets.room(len(body)))
    return Respond(answer.status, answer.headers, filling, details)
