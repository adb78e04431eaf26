"""Keys are fetched in the background, from a real server and from real files."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.credentials import Jwt, Jwts
from extproc.server import jwks as refreshing
from extproc.server.jwks import KeyRefresh
from extproc.server.record import Records
from tests.credentials.test_jwt import proven
from tests.issuer import AUDIENCE, EC, NAME, NOW, OTHER_EC, Issuer, jwks, token
from tests.server.wire import Clock, until

OLD, NEW = token(EC, "ES256", exp=NOW + 10**6), token(OTHER_EC, "ES256", exp=NOW + 10**6)


class Rig:
    """A credential, and what keeps its keys fresh; time moves when a test says so."""

    def __init__(self, source: str, cooldown: float = 0.0, **more: Any) -> None:
        made_of = {"issuer": NAME, "audience": AUDIENCE, "jwks": source, **more}
        self.prover = Jwts(Jwt(algorithms=("ES256",), **made_of), b"k" * 32, [])
        self.wall, self.log = Clock(), io.BytesIO()
        self.wall.now = NOW
        self.records = Records(self.log)
        self.refresh = KeyRefresh("tokens", self.prover, self.records, self.wall, cooldown)

    def takes(self, value: str) -> bool:
        return proven(value, self.prover, self.wall.now) is not None

    def told(self) -> list[str]:
        self.records.close()
        return [orjson.loads(line)["problem"] for line in self.log.getvalue().splitlines()]


@asynccontextmanager
async def rig(source: str, **more: Any) -> AsyncIterator[Rig]:
    made = Rig(source, **more)
    yield made
    await made.refresh.close()
    made.records.close()


async def ended(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def issuer() -> Any:
    with Issuer(keys=jwks(EC)) as running:
        yield running


async def test_keys_come_from_a_server(issuer: Issuer) -> None:
    async with rig(f"{issuer.url}/jwks") as made:
        assert (made.takes(OLD), made.refresh.known) == (False, False)
        assert made.refresh.problem == "not fetched yet"
        await made.refresh.refresh()
        assert (made.takes(OLD), made.refresh.known, made.refresh.problem) == (True, True, "")
        assert made.told() == [""]


async def test_the_same_keys_stay_the_same_object(issuer: Issuer) -> None:
    """Else every token would be verified anew after each fetch."""
    async with rig(f"{issuer.url}/jwks") as made:
        await made.refresh.refresh()
        first = made.prover.keyring.keys(NOW)
        await made.refresh.refresh()
        assert made.prover.keyring.keys(NOW) is first
        issuer.keys = jwks(EC, OTHER_EC)
        await made.refresh.refresh()
        assert made.prover.keyring.keys(NOW) is not first


async def test_another_policy_goes_on_with_the_keys_of_the_last(issuer: Issuer) -> None:
    url = f"{issuer.url}/jwks"
    async with rig(url) as before, rig(url) as made, rig(f"{url}?x") as other:
        await before.refresh.refresh()
        issuer.status = 503
        for after in (made, other):
            after.refresh.follow(before.refresh)
            await after.refresh.refresh()
        assert (made.takes(OLD), other.takes(OLD)) == (True, False)
        made.wall.now += 86_400
        assert not made.takes(OLD)


async def test_keys_that_are_newer_stay(issuer: Issuer) -> None:
    url = f"{issuer.url}/jwks"
    async with rig(url) as before, rig(url) as made:
        await before.refresh.refresh()
        issuer.keys = jwks(OTHER_EC)
        await made.refresh.refresh()
        made.refresh.follow(before.refresh)
        assert (made.takes(OLD), made.takes(NEW)) == (False, True)


async def test_keys_are_rotated_with_an_overlap(issuer: Issuer) -> None:
    async with rig(f"{issuer.url}/jwks") as made:
        await made.refresh.refresh()
        assert (made.takes(OLD), made.takes(NEW)) == (True, False)
        issuer.keys = jwks(EC, OTHER_EC)
        await made.refresh.refresh()
        assert (made.takes(OLD), made.takes(NEW)) == (True, True)
        issuer.keys = jwks(OTHER_EC)
        await made.refresh.refresh()
        assert (made.takes(OLD), made.takes(NEW)) == (False, True)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"status": 503}, "status 503"),
        ({"keys": b"{}"}, "it is not an object with a list 'keys' of at most 100"),
        ({"keys": b'{"keys":[]}'}, "it has no key for any of the algorithms"),
        ({"keys": b" " * 300_000}, "more than 262144 bytes"),
    ],
)
async def test_the_last_good_keys_are_trusted_until_they_are_stale(
    issuer: Issuer, fault: dict[str, Any], problem: str
) -> None:
    async with rig(f"{issuer.url}/jwks", stale="1h") as made:
        await made.refresh.refresh()
        for name, value in fault.items():
            setattr(issuer, name, value)
        made.wall.now += 3599
        await made.refresh.refresh()
        await made.refresh.refresh()
        assert (made.takes(OLD), made.refresh.problem) == (True, problem)
        made.wall.now += 1
        assert (made.takes(OLD), made.refresh.known) == (False, False)
        issuer.status, issuer.keys = 200, jwks(EC)
        await made.refresh.refresh()
        assert (made.takes(OLD), made.refresh.problem) == (True, "")
        assert made.told() == ["", problem, ""]


async def test_a_fault_of_ours_is_told_and_is_not_the_end(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(f"{issuer.url}/jwks") as made:
        with monkeypatch.context() as patch:
            patch.setattr(refreshing, "key_set", None)
            await made.refresh.refresh()
        assert made.refresh.problem == "internal error"
        await made.refresh.refresh()
        assert made.takes(OLD)


async def test_a_slow_server_is_not_waited_for(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "FETCH", 0.05)
    async with rig(f"{issuer.url}/jwks") as made:
        issuer.slow.clear()
        await made.refresh.refresh()
        assert made.refresh.problem != ""
        assert not made.takes(OLD)


async def test_an_unknown_key_has_them_fetched_and_the_next_request_finds_it(
    issuer: Issuer,
) -> None:
    async with rig(f"{issuer.url}/jwks", refresh="1d") as made:
        await made.refresh.refresh()
        running = asyncio.create_task(made.refresh.run())
        issuer.keys = jwks(EC, OTHER_EC)
        assert not made.takes(NEW)
        await until(lambda: made.takes(NEW))
        await ended(running)


async def test_strangers_cannot_have_them_fetched_at_will(issuer: Issuer) -> None:
    async with rig(f"{issuer.url}/jwks", refresh="1d", cooldown=1000.0) as made:
        await made.refresh.refresh()
        running = asyncio.create_task(made.refresh.run())
        for _ in range(200):
            assert not made.takes(NEW)
            await asyncio.sleep(0)
        assert issuer.asked["/jwks"] == 1
        await ended(running)


async def test_they_are_fetched_again_without_being_asked(issuer: Issuer) -> None:
    async with rig(f"{issuer.url}/jwks", refresh="10ms") as made:
        running = asyncio.create_task(made.refresh.run())
        await until(lambda: issuer.asked["/jwks"] >= 3)
        await ended(running)


async def test_what_failed_is_tried_again_sooner_and_then_less_often(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = list[float]()

    async def asleep(seconds: float) -> None:
        waits.append(seconds)

    issuer.status = 503
    async with rig(f"{issuer.url}/jwks", refresh="5m", cooldown=1000.0) as made:
        monkeypatch.setattr(asyncio, "sleep", asleep)
        await made.refresh.pause()
        for _ in range(12):
            await made.refresh.refresh()
            await made.refresh.pause()
    monkeypatch.undo()
    assert 240 <= waits[0] <= 300
    for failures, wait in enumerate(waits[1:]):
        assert 0.8 * min(300, 2**failures) <= wait <= min(300, 2**failures)


# Files.


async def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(jwks(EC))
    async with rig(f"file:{file}") as made:
        await made.refresh.refresh()
        assert (made.takes(OLD), made.takes(NEW)) == (True, False)
        file.write_bytes(jwks(OTHER_EC))
        await made.refresh.refresh()
        assert (made.takes(OLD), made.takes(NEW)) == (False, True)


async def test_a_folder_may_be_swapped_as_kubernetes_does(tmp_path: Path) -> None:
    for name, key in (("1", EC), ("2", OTHER_EC)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "jwks.json").write_bytes(jwks(key))
    (tmp_path / "..data").symlink_to("1")
    (tmp_path / "jwks.json").symlink_to("..data/jwks.json")
    async with rig(f"file:{tmp_path}/jwks.json") as made:
        await made.refresh.refresh()
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").rename(tmp_path / "..data")
        await made.refresh.refresh()
        assert (made.takes(OLD), made.takes(NEW)) == (False, True)


async def test_a_file_that_is_gone_is_trusted_until_it_is_stale(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(jwks(EC))
    async with rig(f"file:{file}", stale="1h") as made:
        await made.refresh.refresh()
        file.unlink()
        await made.refresh.refresh()
        assert (made.takes(OLD), made.refresh.problem) == (True, "No such file or directory")
        made.wall.now += 3600
        assert not made.takes(OLD)


async def test_keys_that_were_read_at_load_grow_stale_too(tmp_path: Path) -> None:
    made = Jwt(issuer=NAME, audience="a", jwks=f"file:{tmp_path}/gone", algorithms=("ES256",))
    prover = Jwts(made, b"k" * 32, [])
    prover.keyring.renew({}, float("inf"))
    wall, records = Clock(), Records(io.BytesIO())
    refresh = KeyRefresh("tokens", prover, records, wall)
    await refresh.refresh()
    known = [refresh.known]
    wall.now += 86_400
    assert [*known, refresh.known] == [True, False]
    records.close()
