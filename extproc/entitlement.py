"""What a request may ask for besides a model: a stream, tools, how many inputs, choices, tokens.

Rule: what is not granted is refused before anything goes on to the model server, by the feature's
name alone; how much of it would have been granted is not told.  Streams and inputs are known once a
dialect has read the request (``check``); the others stand in fields, whose rules in the dialects'
gates ask here (see dialects/features.py).
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from extproc.cause import Cause
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import FEATURE_NOT_AVAILABLE

Feature = Literal["streaming", "tools", "batch", "choices", "max_tokens"]

_CAUSES: Final[Mapping[Feature, Cause]] = {
    "streaming": Cause.FEATURE_STREAMING,
    "tools": Cause.FEATURE_TOOLS,
    "batch": Cause.FEATURE_BATCH,
    "choices": Cause.FEATURE_CHOICES,
    "max_tokens": Cause.FEATURE_MAX_TOKENS,
}


class Entitlement(Struct, frozen=True):
    """What is granted; by default everything."""

    streaming: bool = True
    tools: bool = True
    batch: int | None = None
    """The most inputs of one request, None where any number."""
    choices: int | None = None
    """The most answers to one input: ``n`` and its like."""
    max_tokens: int | None = None
    """The most that a request may have written; of one that names no maximum it is that."""

    def check(self, query: Query) -> None:
        """Raise ClientError where the request asks for a stream or a batch it may not have."""
        if query.stream and not self.streaming:
            raise unavailable("streaming")
        if self.batch is not None and query.inputs > self.batch:
            raise unavailable("batch")


ALL: Final = Entitlement()


def unavailable(feature: Feature) -> ClientError:
    detail = f"The feature {feature!r} is not available."
    return ClientError(detail, FEATURE_NOT_AVAILABLE.called(_CAUSES[feature]))
