"""How much may be held."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds, in bytes, on what one exchange (and all together) may hold."""

    request: int = 1 << 20
    """A request body; larger is refused with 413."""
    document: int = 256 << 10
    """An answer that is held until it has been read to its end; more leaves as it is rewritten."""
    value: int = 1 << 20
    """One value of such a stream, and one event of an event stream."""
    held: int = 256 << 20
    """All bodies held by this process at one time; above it new work is refused with 503."""
    waiting: int = 10_000
    """Requests, not bytes, at one time whose answers may have to wait for their instant."""
