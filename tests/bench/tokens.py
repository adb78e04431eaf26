"""What a token costs: Check with a JWT that is verified each time, or remembered."""

from asyncio import Runner
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import uvloop

from extproc.credentials import Jwt, Jwts
from extproc.credentials.jwt import Algorithm
from extproc.credentials.key_set import key_set
from extproc.policy import PolicyTable
from tests.bench.figures import Figure, Table
from tests.bench.own import CALLS, Services, check_request, repeat, unread
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.issuer import AUDIENCE, EC, NAME, RSA, jwks, token

_ALGORITHMS: Final[tuple[Algorithm, ...]] = ("RS256", "ES256")
_FOREVER: Final = 10**6
_KEYS: Final = {"RS256": RSA, "ES256": EC}


def tokens(table: PolicyTable) -> Table:
    """Check, in this process and without a network, as in own.py."""
    with unread() as records, Runner(loop_factory=uvloop.new_event_loop) as runner:
        kept = Services(_trusting(table, remembered=10), records)
        verifying = Services(_trusting(table, remembered=0), records)

        def work(services: Services, message: bytes) -> Work:
            return Work(
                lambda: runner.run(repeat(lambda: services.check(message), CALLS)), per=CALLS
            )

        messages = {name: check_request(_token(name)) for name in _ALGORITHMS}
        scale, *spreads = take_turns(
            [
                Work(empty_loop),
                *(work(kept, message) for message in messages.values()),
                *(work(verifying, message) for message in messages.values()),
            ]
        )
    titles = [
        f"Check, JWT {name}, {how}" for how in ("remembered", "verified") for name in messages
    ]
    rows = [Figure(title, "us", spread) for title, spread in zip(titles, spreads, strict=True)]
    return Table("Tokens, beyond grpc", "", (Figure(EMPTY_LOOP, "us", scale), *rows))


def _token(algorithm: str) -> str:
    now = datetime.now(UTC).timestamp()
    return token(_KEYS[algorithm], algorithm, iat=now, exp=now + _FOREVER, org="bench")


def _trusting(table: PolicyTable, remembered: int) -> PolicyTable:
    """The same policies, for whoever has a token of this issuer."""
    settings = Jwt(
        issuer=NAME,
        audience=AUDIENCE,
        jwks="file:keys",
        algorithms=_ALGORITHMS,
        tenant="org",
        remembered=remembered,
    )
    prover = Jwts(settings, table.key, ["bench"])
    prover.keyring.renew(key_set(jwks(RSA, EC), _ALGORITHMS), float("inf"))
    return replace(table, provers={"tokens": prover})
