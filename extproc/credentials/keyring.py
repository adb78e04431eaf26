"""The public keys of an issuer, as they were last seen."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from joserfc.jwk import Key

MAX_BYTES: Final = 256 << 10
"""Of a JWK Set: a key with its certificates is some 4 KiB."""

KeySet = Mapping[tuple[str | None, str], "Key"]
"""(key id, algorithm) -> key; under None, the only key of an algorithm."""


class Keyring:
    """The keys of one issuer, as they were last seen; empty until then."""

    def __init__(self) -> None:
        self.last: KeySet | None = None
        self.until = 0.0
        """When the last ones are trusted no more, in seconds of wall time."""
        self.missed: Callable[[], None] = _nobody
        """Called where a token names a key that is not known: there may be new ones to fetch."""

    def keys(self, now: float) -> KeySet | None:
        """The keys to trust at ``now``; the same object for as long as they are the same."""
        return self.last if now < self.until else None

    def renew(self, keys: KeySet | None, until: float) -> None:
        """Trust these, or where None those known, until then: seconds of wall time."""
        self.last = self.last if keys is None else keys
        self.until = until


def _nobody() -> None:
    """Nobody fetches keys: they are from a file, and no sidecar runs."""
