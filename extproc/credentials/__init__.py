"""Who is calling.  A credential is a function from a request's headers to a principal.

To add one: write a file here, add its function to CREDENTIALS and the headers it reads to
CREDENTIAL_HEADERS.  Rule: a request that proves two principals proves none.
"""

from collections.abc import Callable
from typing import Final

from extproc.credentials import api_key
from extproc.events import Headers

__all__ = ["CREDENTIALS", "CREDENTIAL_HEADERS", "principal"]

CREDENTIALS: Final[tuple[Callable[[Headers, bytes], str | None], ...]] = (api_key.principal,)

CREDENTIAL_HEADERS: Final[tuple[str, ...]] = api_key.HEADERS
"""Taken out of a request before it goes on: the model server has no use for them."""


def principal(headers: Headers, hmac_key: bytes) -> str | None:
    """The one principal these headers prove, as tenants list it; None where there is not one."""
    proven = {found for prove in CREDENTIALS if (found := prove(headers, hmac_key)) is not None}
    return proven.pop() if len(proven) == 1 else None
