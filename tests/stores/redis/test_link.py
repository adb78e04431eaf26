"""Whom a connection is made to: by TLS, with the rights it needs and no others."""

import asyncio
import re
import socket
import ssl
from pathlib import Path

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import Calendar, Charge, Periods, Taken
from extproc.stores.redis.address import address
from extproc.stores.redis.link import Access, Link, reason
from extproc.stores.redis.servers import Single
from tests.e2e.authority import Authority
from tests.stores.redis import rig
from tests.stores.redis.proxy import proxy
from tests.stores.redis.rig import Server

DAILY = Calendar("daily/day", max=10, periods=Periods("day"))
CHARGE = Charge(DAILY, "acme", "alice", 1)
GUIDE = Path(__file__).parents[3] / "docs" / "redis.md"


def to(url: str, tls: ssl.SSLContext | None = None) -> Single:
    return Single(Access(address(url), rig.PATIENT, tls))


async def fault(url: str, tls: ssl.SSLContext | None = None) -> str:
    """Why there is no connection."""
    async with rig.store(to(url, tls)) as store:
        with pytest.raises(StoreUnavailable) as error:
            await store.take([CHARGE])
        return str(error.value)


async def test_a_user_with_the_rights_of_the_guide_can_do_everything(server: Server) -> None:
    line = re.search(r"^ACL SETUSER (.*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert line is not None
    with server.client() as client:
        words = line[1].replace("PASSWORD", "pa:ss@word").split()
        client.execute_command("ACL", "SETUSER", *words)
    url = f"redis://{words[0]}:pa%3Ass%40word@127.0.0.1:{server.port}"
    async with rig.store(to(url), rig.shape(prefix="extproc")) as store:
        taken = await store.take([CHARGE])
        assert isinstance(taken, Taken)
        await store.settle(taken, [5])
        await store.grant("acme", DAILY, "alice", 2)
        await store.freeze("acme", frozen=True)
        assert (await store.read("acme", [DAILY], most=1)).standings[0].spent == 3
        with server.client() as client:
            client.delete("extproc:{acme}")
        assert (await store.read("acme", [DAILY], most=1)).standings[0].spent == 3
    async with rig.store(to(url), rig.shape(prefix="other")) as store:
        with pytest.raises(StoreUnavailable, match="it refuses: "):
            await store.take([CHARGE])


async def test_a_wrong_password_is_told_without_it(server: Server) -> None:
    said = await fault(f"redis://nobody:hunter2@127.0.0.1:{server.port}")
    assert said == "it refuses: WRONGPASS"


async def test_a_database_is_chosen(server: Server) -> None:
    shape = rig.shape()
    async with rig.store(to(f"{server.url}/5"), shape) as store:
        assert isinstance(await store.take([CHARGE]), Taken)
        with server.client() as client:
            client.select(5)
            assert client.exists(f"{shape.prefix}:{{acme}}")


async def test_a_replica_is_told_from_a_master(server: Server) -> None:
    with rig.servers() as (replica,), replica.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", server.port)
        said = await fault(replica.url)
    assert said == "it is a replica, in which nothing can be counted"


async def test_nobody_there_is_told_at_once() -> None:
    assert (await fault("redis://127.0.0.1:1")).startswith("it cannot be reached")


async def test_a_unix_socket_does(tmp_path: Path) -> None:
    with rig.servers(1, "--unixsocket", str(tmp_path / "redis.sock")):
        async with rig.store(to(f"unix://{tmp_path}/redis.sock")) as store:
            assert isinstance(await store.take([CHARGE]), Taken)


async def test_by_tls_the_servers_certificate_is_checked(server: Server, tmp_path: Path) -> None:
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    certificate = ours.issue("redis", "127.0.0.1")
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    there.load_cert_chain(*certificate.files)
    async with proxy(server.port, there) as line:
        url = f"rediss://127.0.0.1:{line.port}"
        trusting = ssl.create_default_context(cafile=ours.own.certificate)
        async with rig.store(to(url, trusting)) as store:
            assert isinstance(await store.take([CHARGE]), Taken)
        doubting = ssl.create_default_context(cafile=others.own.certificate)
        assert await fault(url, doubting) == "TLS fails: CERTIFICATE_VERIFY_FAILED"
        assert await fault(f"redis://127.0.0.1:{line.port}") != ""


async def test_a_link_that_is_closed_before_it_is_up_ends() -> None:
    async def never() -> tuple[str, int]:
        await asyncio.Event().wait()
        raise AssertionError

    link = Link(never, Access(address("redis://x"), 0.1))
    starting = asyncio.create_task(link.start())
    await rig.passed(0.01)
    await link.close()
    starting.cancel()
    with pytest.raises(StoreUnavailable, match="not connected yet"):
        link.call(b"", 0.0)


def test_a_reason_holds_nothing_of_an_address() -> None:
    assert reason(TimeoutError("10.0.0.1")) == "no answer in time"
    refused = ConnectionRefusedError(111, "Connect call failed ('10.0.0.1', 6379)")
    assert reason(refused) == "it cannot be reached: Connection refused"
    nobody = socket.gaierror(-2, "db.example: Name or service not known")
    assert reason(nobody) == "it cannot be reached: nobody knows its name"
    assert reason(OSError("10.0.0.1")) == "it cannot be reached: OSError"
