"""New API keys: ``xk-``, an id that anyone may see, and the secret.

Rule: 256 bits of the operating system's randomness, so that the keyed hash which is all that is
kept need not be slow to compute: no key can be guessed.  The id says which key it is wherever one
turns up, and scanners of code and logs find all of them by their form.
"""

import secrets
from typing import Final

_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Of Crockford's base 32: none that is read as another."""
_ID: Final = 12


def new_id() -> str:
    """60 bits: a million of them are different but for a chance of one in two million."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID))


def new_key(identity: str = "") -> str:
    """``xk-<id>-<secret>``, which a client sends as bearer token; of a new id unless given one."""
    return f"{visible(identity or new_id())}-{secrets.token_urlsafe(32)}"


def visible(identity: str) -> str:
    """How the keys of this id begin."""
    return f"xk-{identity}"
