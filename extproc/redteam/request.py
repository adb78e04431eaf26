"""What goes over the wire, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; ``key`` is the place of the API key among the client's, None sends none."""

    path: str
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    key: int | None = 0
    queries: int = 1
    """How many inputs it asks about."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer; ``status`` 0 is a connection that broke, with no answer or a part of one."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    began: float
    """Seconds from the request to the answer's header fields."""
    ended: float
    """Seconds from the request to the last byte."""
    pieces: tuple[tuple[float, int], ...] = ()
    """Of a stream that was asked to be followed: when each piece came, in seconds from the request,
    and its length in bytes."""

    @property
    def served(self) -> bool:
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)
