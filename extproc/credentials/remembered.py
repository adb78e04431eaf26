"""What is known of tokens, for a while.

Rules: a token is known by its keyed digest alone; of more than ``most`` the one that was not asked
about for longest is forgotten.
"""

import hmac
from typing import Generic, TypeVar

Known = TypeVar("Known")


class Remembered(Generic[Known]):
    """Digest of a token -> what is known of it, and until when, in seconds of wall time."""

    def __init__(self, key: bytes, most: int) -> None:
        self._key, self._most = key, most
        self._known: dict[bytes, tuple[Known, float]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def digest(self, token: str) -> bytes:
        return hmac.digest(self._key, token.encode("ascii"), "sha256")

    def get(self, digest: bytes, now: float) -> tuple[Known] | None:
        """What is known, in a tuple since it may be None; None where nothing is."""
        found = self._known.pop(digest, None)
        if found is None or now >= found[1]:
            return None
        self._known[digest] = found  # it is the newest again
        return (found[0],)

    def put(self, digest: bytes, known: Known, until: float) -> None:
        self._known.pop(digest, None)
        self._known[digest] = (known, until)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]

    def clear(self) -> None:
        self._known.clear()
