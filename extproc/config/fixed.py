"""What a sidecar that runs keeps as it was started with.

Rule: addresses are bound once, and counters, the audit log and what is known of how callers ask
outlive every policy; another policy that asks for others is refused whole, rather than served in
part.
"""

from typing import Final

from extproc.config.document import Place
from extproc.config.loaded import Loaded

_FIELDS: Final = ("listen", "health", "admin", "control", "store")
_LIVE: Final = ("mode", "on_loss")
"""Of ``detection``."""
_WRONG: Final = "cannot change while the sidecar runs"
_REMEDY: Final = "restart it, or write what was there"


def check_fixed(before: Loaded, after: Loaded) -> None:
    """Raise ConfigError, which names the place in ``after``."""
    place = _changed(before, after)
    if place:
        raise after.config.document.fault(place, _WRONG, _REMEDY)


def _changed(before: Loaded, after: Loaded) -> Place:
    old, new = before.config.settings, after.config.settings
    for field in _FIELDS:
        if getattr(old, field) != getattr(new, field):
            return (field,)
    return _audit(before, after) or _detection(before, after)


def _detection(before: Loaded, after: Loaded) -> Place:
    """What is done about suspicion is the policy's: only what finds it stays."""
    old, new = before.config.settings.detection, after.config.settings.detection
    if old is None or new is None:
        return ("detection",) if old is not new else ()
    for field in old.__struct_fields__:
        if field not in _LIVE and getattr(old, field) != getattr(new, field):
            return ("detection", field)
    assert before.detection is not None
    assert after.detection is not None
    alike = before.detection.digest == after.detection.digest
    if not alike:
        return ("detection", "reference")
    alike = before.detection.receivers == after.detection.receivers
    return () if alike else ("detection", "alerts")


def _audit(before: Loaded, after: Loaded) -> Place:
    """Pseudonyms are the policy's: only what writes the log stays."""
    old, new = before.config.settings.audit, after.config.settings.audit
    if old is None or new is None:
        return ("audit",) if old is not new else ()
    for field in old.__struct_fields__:
        if field != "pseudonyms" and getattr(old, field) != getattr(new, field):
            return ("audit", field)
    assert before.plan is not None
    assert after.plan is not None
    if before.plan.key.public_key() != after.plan.key.public_key():
        return ("audit", "key")
    return () if before.plan.vault == after.plan.vault else ("ownership",)
