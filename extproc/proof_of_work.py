"""Challenges that cost a caller computing time, and whether one was solved.

The format is ALTCHA's second (altcha.org, "Proof-of-Work v2"), so that its clients solve them: a
counter is sought whose PBKDF2-HMAC-SHA-256 begins with three zero digits.  The answer is the
challenge with its solution, so that nothing needs to be remembered between the two.

Rules.  A challenge is signed, and counts for the tenant, principal and purpose that it was made
for, for LIFETIME, and once; the last is the store's to say (``Once``).  What a client sends is
bounded before it is read, and whatever stands in it, nothing is raised.  Time and salt are
parameters.
"""

import hmac
from base64 import b64decode
from hashlib import pbkdf2_hmac, sha256
from math import ceil
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from extproc.cause import Cause
from extproc.credentials import Once

SOLUTION: Final = "x-extproc-solution"
"""The header field of the request that is made again."""
LIFETIME: Final = 300
"""Seconds for which a challenge can be answered."""
LONGEST: Final = 4096
"""Octets of an answer."""
SALT: Final = 32
"""Octets of randomness that a challenge takes."""
TRIES: Final = 4096
"""Counters that are tried on average: each is as dear as checking the solution."""
DEAREST: Final = TRIES * 4096
"""Iterations on average; at 1.5 million a second, 11 seconds of work and 3 ms of checking."""

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Holder(Struct, frozen=True):
    """Whose a challenge is, and what for; the last keeps one of a budget from answering others."""

    tenant: str
    principal: str
    purpose: str


class Solved(Struct, frozen=True):
    """A challenge that was solved."""

    work: int
    """Iterations that it took on average."""
    once: Once
    """It counts if a store has not seen this."""

    def covers(self, work: int) -> bool:
        """Whether it was for so much, as ``challenge`` would ask it now, or more."""
        return self.work >= _cost(work) * TRIES


class _Data(Struct, forbid_unknown_fields=True):
    at: Annotated[int, Meta(ge=0, le=1 << 50)]
    """When it was made, in milliseconds: who began later in that second cannot have seen it."""
    holder: Hex64 = field(name="for")


class _Parameters(Struct, rename="camel", forbid_unknown_fields=True):
    """In the order of their names, as they are signed."""

    algorithm: Literal["PBKDF2/SHA-256"]
    cost: Annotated[int, Meta(ge=1, le=DEAREST // TRIES)]
    data: _Data
    expires_at: Annotated[int, Meta(ge=0, le=1 << 40)]
    key_length: Literal[32]
    key_prefix: Literal["000"]
    nonce: Hex32
    salt: Hex32


class _Challenge(Struct, forbid_unknown_fields=True):
    parameters: _Parameters
    signature: Hex64


class _Solution(Struct, rename="camel"):
    """Clients say how long it took, besides."""

    counter: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
    derived_key: Hex64


class _Refused(Struct):
    """The body of a refusal, whatever else its API says in it."""

    challenge: _Challenge


class _Answer(Struct):
    challenge: _Challenge
    solution: _Solution


_DECODER: Final = msgspec.json.Decoder(_Answer)
_POSED: Final = msgspec.json.Decoder(_Challenge)
_REFUSED: Final = msgspec.json.Decoder(_Refused)


def challenge(key: bytes, holder: Holder, work: int, now: float, salt: bytes) -> str:
    """A challenge as JSON.  ``work`` are iterations on average, at most DEAREST; ``salt`` are SALT
    octets that nobody can foresee; ``now`` is in seconds of wall time.
    """
    parameters = _Parameters(
        "PBKDF2/SHA-256",
        _cost(work),
        _Data(ceil(now * 1000), _named(key, holder)),
        int(now) + LIFETIME,
        32,
        "000",
        salt[:16].hex(),
        salt[16:SALT].hex(),
    )
    made = _Challenge(parameters, _signed(key, parameters))
    return msgspec.json.encode(made).decode()


def verify(key: bytes, answer: str, holder: Holder, now: float) -> Solved | Cause:
    """What an answer proves, or why nothing; the dear step comes last."""
    read = _read(answer)
    if read is None:
        return Cause.SOLUTION_MALFORMED
    parameters = read.challenge.parameters
    if not hmac.compare_digest(_signed(key, parameters), read.challenge.signature):
        return Cause.SOLUTION_FOREIGN
    if not hmac.compare_digest(_named(key, holder), parameters.data.holder):
        return Cause.SOLUTION_FOREIGN
    if now > parameters.expires_at:
        return Cause.SOLUTION_EXPIRED
    if not _solves(read.solution, parameters):
        return Cause.SOLUTION_WRONG
    return Solved(parameters.cost * TRIES, _once(parameters))


def read_challenge(text: str) -> dict[str, Any] | None:
    """A challenge as ALTCHA's clients take it, from a header field's value or a body's text; None
    where that is none of the kind that is made here.
    """
    try:
        given = text.encode() if text.startswith("{") else b64decode(text, validate=True)
        found: dict[str, Any] = msgspec.to_builtins(_challenge(given))
    except (ValueError, RecursionError):
        return None
    return found


def _challenge(given: bytes) -> _Challenge:
    try:
        return _POSED.decode(given)
    except msgspec.DecodeError:
        return _REFUSED.decode(given).challenge


def _cost(work: int) -> int:
    """Iterations of one try."""
    return max(1, min(work, DEAREST) // TRIES)


def _read(answer: str) -> _Answer | None:
    if len(answer) > LONGEST:
        return None
    try:
        return _DECODER.decode(b64decode(answer, validate=True))
    except (ValueError, RecursionError):
        return None


def _solves(solution: _Solution, parameters: _Parameters) -> bool:
    """The parameters are ours by now."""
    password = bytes.fromhex(parameters.nonce) + solution.counter.to_bytes(4, "big")
    salt = bytes.fromhex(parameters.salt)
    length, prefix = parameters.key_length, parameters.key_prefix
    derived = pbkdf2_hmac("sha256", password, salt, parameters.cost, length).hex()
    return derived.startswith(prefix) and hmac.compare_digest(derived, solution.derived_key)


def _once(parameters: _Parameters) -> Once:
    """By the challenge and not by the counter: it has any number of solutions."""
    name = sha256(f"proof_of_work|{parameters.nonce}|{parameters.salt}".encode()).hexdigest()
    return Once(name, parameters.data.at / 1000, parameters.expires_at)


def _named(key: bytes, holder: Holder) -> str:
    """A holder in public: a tenant's name is nobody's business, a principal may be a person."""
    return _mac(key, b"holder", msgspec.json.encode(holder))


def _signed(key: bytes, parameters: _Parameters) -> str:
    return _mac(key, b"challenge", msgspec.json.encode(parameters))


def _mac(key: bytes, use: bytes, text: bytes) -> str:
    """Under a key for this use alone: the policy's own hashes other things besides."""
    return hmac.digest(signing_key(key, use), text, "sha256").hex()


def signing_key(key: bytes, use: bytes = b"challenge") -> bytes:
    return hmac.digest(key, b"proof_of_work:" + use, "sha256")
