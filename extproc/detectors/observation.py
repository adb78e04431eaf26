"""What the sidecar tells its detectors of one exchange when it is over.

Rule: it lives in this process alone, in a queue that is bounded, until features have been made of
it; nothing of it is ever logged, stored or sent.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from extproc.detectors.features import Outcome

SAMPLE: Final = 64
"""Inputs of one request that are looked at, evenly spread; all are counted."""
EXCERPT: Final = 2048
"""Characters of a text, or numbers of an array, that are."""


class Observation(Struct, frozen=True, gc=False):
    """One exchange."""

    time: float
    """When its request came, in seconds since 1970."""
    tenant: str
    principal: str
    route: str
    model: str
    outcome: Outcome
    queries: int
    inputs: Sequence[Any] = ()
    """A sample, each cut to an excerpt: JSON values, as the dialect read them."""
    digests: Sequence[bytes] = ()
    """Of all canonical inputs, where they were made."""
    labels: Sequence[int] = ()
    """See Features."""
    margins: Sequence[int] = ()
    norms: Sequence[int] = ()
    knobs: int = 0
    network: str = ""
    """A keyed digest of the block of addresses it came from; empty where nobody asked for it."""
    client: str = ""
    """A keyed digest of what its client looks like: JA4, or the order of its header fields."""
    request: str = ""
    """What its client was told as ``x-request-id``."""
