"""New API keys.

Rule: 256 bits of the operating system's randomness, so that the keyed hash which the policy lists
need not be slow to compute: no key can be guessed.
"""

import secrets


def new_key() -> str:
    """``xk-`` and 43 characters: what a client sends as bearer token.

    The prefix lets scanners of code and logs find keys that leaked.
    """
    return f"xk-{secrets.token_urlsafe(32)}"
