"""Whom ext_authz and ext_proc take for suspected: what they ask of whatever detects.

Rule: the answer is there at once and costs no more than a look-up; nothing is awaited for it, and
nothing raised.
"""

from typing import Protocol

from extproc.escalation import NOBODY, Case


class Suspects(Protocol):
    def case(self, tenant: str, principal: str) -> Case:
        """What is known of a caller; NOBODY where nothing is."""
        ...


class Unsuspecting:
    """Where nobody looks at how callers ask."""

    def case(self, tenant: str, principal: str) -> Case:
        return NOBODY
