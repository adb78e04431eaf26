"""The keys of key files: how many of them never expire, or were never replaced.

Rule: they are counted, and not one of them is named.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from extproc.config import Config
from extproc.config.key_file import KeyLine
from extproc.config.key_register import register, state_of
from extproc.credentials import ApiKey
from extproc.inventory.report import Rating, Reason

OLD: Final = timedelta(days=365)
"""After which a key is one that was never replaced."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Keys that still prove something."""

    active: int
    endless: int
    """That never expire."""
    old: int


def issued(config: Config, now: datetime) -> Iterator[Reason]:
    """Of each key file.  Raise ConfigError at a line that is none."""
    for name, credential in config.settings.credentials.items():
        if isinstance(credential, ApiKey) and credential.file:
            counted = count(register(config, name).lines(), now)
            yield from _reasons(f"credentials.{name}", counted)


def count(lines: Iterable[KeyLine], now: datetime) -> Counted:
    active = endless = old = 0
    for line in lines:
        if state_of(line, now) == "active":
            active += 1
            endless += line.expires is None
            old += now - line.created > OLD
    return Counted(active, endless, old)


def _reasons(place: str, counted: Counted) -> Iterator[Reason]:
    if counted.endless:
        what = f"{place}: {counted.endless} of {counted.active} keys never expire"
        yield Reason(Rating.MODERATE, what, "extproc keys new --expires 90d")
    if counted.old:
        what = f"{place}: {counted.old} of {counted.active} keys are older than {OLD.days} days"
        yield Reason(Rating.MODERATE, what, "extproc keys rotate ID --overlap 7d")
