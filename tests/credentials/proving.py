"""What a credential proves, where it is of no interest why it proves nothing."""

from typing import TypeVar

from extproc.cause import Cause

Found = TypeVar("Found")


def proven_by(found: Found | Cause) -> Found | None:
    return None if isinstance(found, Cause) else found
