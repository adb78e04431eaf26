"""What a signed request costs: Check without a network, each request with a nonce of its own."""

from asyncio import Runner
from dataclasses import replace
from functools import partial
from typing import Any, Final

import uvloop

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from extproc.credentials import Signature, Signatures, SigningKey
from extproc.credentials.signature_key import VerifyingKey, checked_by
from extproc.policy import PolicyTable
from extproc.server.authz import Authorization
from extproc.server.record import Records
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters
from extproc.stores.memory_replays import MemoryReplays
from tests.bench import bodies
from tests.bench.figures import Figure, Table
from tests.bench.own import unread
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.credentials.signing import NOW, PRIVATE, public, signed

_CALLS: Final = 50
_ALGORITHMS: Final = ("ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", "hmac-sha256")


def signatures(table: PolicyTable) -> Table:
    with unread() as records, Runner(loop_factory=uvloop.new_event_loop) as runner:
        checks = [_Checks(table, records, name) for name in _ALGORITHMS]
        scale, *took = take_turns(
            [
                Work(empty_loop),
                *(Work(partial(_run, runner, each), per=_CALLS) for each in checks),
            ]
        )
    named = zip(_ALGORITHMS, took, strict=True)
    figures = (Figure(f"Check, signed with {name}", "us", spread) for name, spread in named)
    return Table("Signed requests", "", (Figure(EMPTY_LOOP, "us", scale), *figures))


def _run(runner: Runner, checks: "_Checks") -> None:
    runner.run(checks.run())


class _Checks:
    """Some requests, and a service that has seen none of them whenever they begin."""

    def __init__(self, table: PolicyTable, records: Records, algorithm: Any) -> None:
        check = checked_by(algorithm, public(PRIVATE[algorithm]))
        assert check is not None
        settings = Signature({"partner-1": SigningKey("bench", algorithm)})
        keys = {"partner-1": VerifyingKey("bench", algorithm, check)}
        prover = Signatures(settings, keys, ("content-type",))
        self._table = replace(table, provers={"signed": prover})
        self._records, self._telemetry = records, Telemetry()
        self._messages = [_message(algorithm, f"{number:032}") for number in range(_CALLS)]

    async def run(self) -> None:
        service = Authorization(
            Tables(self._table),
            MemoryCounters(),
            self._telemetry,
            self._records,
            wall=lambda: NOW,
            replays=MemoryReplays(began=0.0),
        )
        for message in self._messages:
            answer = await service.check(CheckRequest.FromString(message), None)
            assert answer.status.code == 0
            answer.SerializeToString()


def _message(algorithm: str, nonce: str) -> bytes:
    url = f"http://models.example{bodies.CHAT}"
    request = signed(bodies.ask_chat(), url=url, algorithm=algorithm, nonce=nonce)
    message = CheckRequest()
    http = message.attributes.request.http
    http.method, http.path = request.method, request.path
    http.headers.update(request.headers)
    return message.SerializeToString()
