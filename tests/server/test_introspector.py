"""Issuers are asked about tokens over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from extproc.credentials import Introspection, Introspections, Needed, Proof
from extproc.errors import IssuerUnavailable
from extproc.server.introspector import FAILURES, REST, Introspector
from tests.credentials.test_introspection import ALICE, TOKEN, proven
from tests.issuer import NAME, NOW, Issuer
from tests.server.wire import Clock, until

ACTIVE = {"active": True, "sub": "alice"}


class Rig:
    def __init__(self, url: str, **more: Any) -> None:
        made_of = {"client_id": "us:1", "client_secret": "env:SECRET", **more}
        settings = Introspection(issuer=NAME, url=f"{url}/introspect", **made_of)
        self.prover = Introspections("tokens", settings, "s3cr&t", b"k" * 32, [])
        self.wall, self.clock = Clock(), Clock()
        self.wall.now = NOW
        self.introspector = Introspector(self.prover, self.wall, self.clock)

    async def ask(self, value: str = TOKEN) -> Proof | Needed | None:
        await self.introspector.ask(value)
        return proven(value, self.prover)


@pytest.fixture
def issuer() -> Any:
    with Issuer(known={TOKEN: ACTIVE}) as running:
        yield running


@asynccontextmanager
async def rig(issuer: Issuer, **more: Any) -> AsyncIterator[Rig]:
    made = Rig(issuer.url, **more)
    yield made
    await made.introspector.close()


async def test_the_issuer_says_what_a_token_is(issuer: Issuer) -> None:
    async with rig(issuer) as made:
        assert await made.ask() == ALICE
        assert await made.ask("unknown-token-0123456789") is None
        assert issuer.forms[0] == {"token": [TOKEN], "token_type_hint": ["access_token"]}


async def test_we_say_who_we_are_as_rfc_6749_wants_it(issuer: Issuer) -> None:
    async with rig(issuer) as made:
        await made.ask()
        assert issuer.authorization == "Basic dXMlM0ExOnMzY3IlMjZ0"  # us%3A1:s3cr%26t


async def test_one_question_is_asked_about_a_token_whoever_waits_for_it(issuer: Issuer) -> None:
    async with rig(issuer) as made:
        issuer.slow.clear()
        asking = [asyncio.create_task(made.ask()) for _ in range(20)]
        await until(lambda: issuer.waiting == 1)
        asking[0].cancel()  # its client has left: the others still have their answer
        issuer.slow.set()
        assert await asyncio.gather(*asking[1:]) == [ALICE] * 19
        assert issuer.asked["/introspect"] == 1


async def test_strangers_can_have_only_so_many_questions_asked(issuer: Issuer) -> None:
    async with rig(issuer, concurrency=2, waiting=3) as made:
        issuer.slow.clear()
        asking = [
            asyncio.create_task(made.introspector.ask(f"{TOKEN}-{number}")) for number in range(9)
        ]
        await until(lambda: issuer.waiting == 2)
        refused = [task for task in asking if task.done()]
        assert len(refused) == 4
        assert all(isinstance(task.exception(), IssuerUnavailable) for task in refused)
        issuer.slow.set()
        await asyncio.gather(*asking, return_exceptions=True)
        assert (issuer.most_waiting, issuer.asked["/introspect"]) == (2, 5)


async def test_waiting_for_a_turn_has_an_end(issuer: Issuer) -> None:
    async with rig(issuer, concurrency=1, timeout="300ms") as made:
        issuer.slow.clear()
        first = asyncio.create_task(made.ask())
        await until(lambda: issuer.waiting == 1)
        with pytest.raises(IssuerUnavailable, match="too many questions"):
            # The first gives its turn back at the same time: a third one is sure to have none.
            await asyncio.gather(made.ask(f"{TOKEN}-2"), made.ask(f"{TOKEN}-3"))
        with pytest.raises(IssuerUnavailable):
            await first


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "body": b"{}"},
        {"status": 401, "body": b'{"active":true,"sub":"alice"}'},
        {"body": b""},
        {"body": b"{"},
        {"body": b"[" * 5000},
        {"body": b"[]"},
        {"body": b"{}"},
        {"body": b'{"active":"true"}'},
        {"body": b'{"active":1}'},
        {"body": b'{"active":true,"sub":"' + b"a" * 70_000 + b'"}'},
    ],
)
async def test_what_is_no_answer_admits_nobody_and_is_not_kept(
    issuer: Issuer, fault: dict[str, Any]
) -> None:
    async with rig(issuer) as made:
        for name, value in fault.items():
            setattr(issuer, name, value)
        with pytest.raises(IssuerUnavailable):
            await made.ask()
        assert proven(tokens=made.prover) == Needed("tokens", TOKEN)
        issuer.status, issuer.body = 200, None
        assert await made.ask() == ALICE


async def test_an_issuer_that_does_not_answer_is_left_alone_for_a_moment(issuer: Issuer) -> None:
    async with rig(issuer) as made:
        issuer.status = 503
        for number in range(FAILURES + 3):
            with pytest.raises(IssuerUnavailable):
                await made.ask(f"{TOKEN}-{number}")
        assert issuer.asked["/introspect"] == FAILURES
        issuer.status = 200
        made.clock.now += REST
        assert await made.ask() == ALICE
        issuer.status = 503
        with pytest.raises(IssuerUnavailable, match="status 503"):
            await made.ask(f"{TOKEN}-1")
        assert issuer.asked["/introspect"] == FAILURES + 2


async def test_a_slow_issuer_is_not_waited_for(issuer: Issuer) -> None:
    async with rig(issuer, timeout="50ms") as made:
        issuer.slow.clear()
        with pytest.raises(IssuerUnavailable):
            await made.ask()


async def test_the_end_is_the_end_of_every_question(issuer: Issuer) -> None:
    made = Rig(issuer.url)
    issuer.slow.clear()
    asking = asyncio.create_task(made.ask())
    await until(lambda: issuer.waiting == 1)
    await made.introspector.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
