"""How far a policy file is in force: for nobody, on trial, for a share of the tenants, or for all.

Rule: a larger share holds for whom a smaller one held for.  Those whom nobody knows are the last.
"""

from hashlib import sha256
from typing import Final, Literal

from msgspec import Struct

Mode = Literal["off", "shadow", "enforce"]
OFF: Final = "off"
"""Why a request passes untouched that nobody looks at."""


class Rollout(Struct, frozen=True):
    mode: Mode = "enforce"
    percent: int = 100
    """Of tenants for whom it is in force; for the others it is on trial."""

    def on_trial(self, tenant: str) -> bool:
        """Whether nothing is done to its requests; empty for strangers."""
        if self.mode != "enforce" or self.percent >= 100:
            return self.mode != "enforce"
        return not tenant or _place(tenant) >= self.percent


WHOLE: Final = Rollout()


def _place(tenant: str) -> int:
    """From 0 to 99, alike everywhere: names are the operator's, so that nobody chooses one."""
    return int.from_bytes(sha256(b"rollout " + tenant.encode()).digest()[:8]) * 100 >> 64
