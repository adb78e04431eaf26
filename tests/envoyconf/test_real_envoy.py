"""What the bootstrap does on a real Envoy whose sidecar would let everything pass."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from extproc.dialects.problem import UNROUTED
from extproc.refusal import INVALID_REQUEST, of_status
from tests.e2e.upstream import Reply, Request
from tests.gateway.rig import Rig, rig, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def envoy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rig(tmp_path_factory.mktemp("envoy")) as started:
        yield started


@pytest.fixture(autouse=True)
def _told(envoy: Rig) -> None:
    """Each test begins with a model server that tells what it was asked."""
    envoy.upstream.requests.clear()
    envoy.upstream.script = _tell


async def _tell(request: Request, reply: Reply) -> None:
    told = {"method": request.method, "path": request.path, "headers": request.headers}
    await reply.document(orjson.dumps(told))


async def test_a_request_and_its_answer_pass_the_sidecar(envoy: Rig) -> None:
    answer = await envoy.ask("GET /v1/x?q=1 HTTP/1.1\nhost: a")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"x-processed: response_headers" in head
    assert b'"x-processed":"request_headers"' in body


async def test_nothing_of_envoys_own_shows(envoy: Rig) -> None:
    head, _, _ = (await envoy.ask("GET / HTTP/1.1\nhost: a")).partition(b"\r\n\r\n")

    names = {line.partition(b":")[0] for line in head.split(b"\r\n")[1:]}
    assert names == {
        *(b"content-type", b"x-processed", b"date", b"connection", b"transfer-encoding"),
    }


async def test_the_client_sets_no_timeout_no_identity_and_no_host(envoy: Rig) -> None:
    await envoy.ask(
        "GET / HTTP/1.1\nhost: other-model\naccept-encoding: gzip\nx-request-id: mine\n"
        "x-envoy-upstream-rq-timeout-ms: 1\nx-envoy-retry-on: 5xx\nx-envoy-internal: true\n"
        "x-envoy-original-path: /other"
    )

    (seen,) = envoy.upstream.requests
    assert seen.headers["host"] == f"127.0.0.1:{envoy.upstream.port}"
    assert seen.headers["x-request-id"] != "mine"
    assert not {name for name in seen.headers if name.startswith("x-envoy-")} - {
        "x-envoy-external-address"
    }
    assert "accept-encoding" not in seen.headers


async def test_a_path_reaches_the_model_server_in_its_plain_form(envoy: Rig) -> None:
    await envoy.ask("GET /a/../v1//x/./y HTTP/1.1\nhost: a")

    assert [request.path for request in envoy.upstream.requests] == ["/v1/x/y"]


REFUSED = {
    "connect": ("CONNECT models:443 HTTP/1.1\nhost: models:443", 404),
    "upgrade": ("GET / HTTP/1.1\nhost: a\nconnection: upgrade\nupgrade: websocket", 403),
    "escaped slash": ("GET /v1%2fx HTTP/1.1\nhost: a", 400),
    "escaped backslash": ("GET /v1%5cx HTTP/1.1\nhost: a", 400),
    "fragment": ("GET /v1#x HTTP/1.1\nhost: a", 400),
    "no host": ("GET / HTTP/1.1\nx: y", 400),
    "authorization fails": ("GET / HTTP/1.1\nhost: a\nx-authz: fail", 503),
}


def worded(status: int) -> bytes:
    return UNROUTED.error(INVALID_REQUEST if status == 400 else of_status(status))


@pytest.mark.parametrize("what", REFUSED)
async def test_what_envoy_refuses_is_worded_as_the_sidecar_would(what: str, envoy: Rig) -> None:
    head, status = REFUSED[what]

    answer = await envoy.ask(head)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert worded(status) in answer
    assert envoy.upstream.requests == []


DROPPED = {
    "underscore": "GET / HTTP/1.1\nhost: a\nx_tenant: b",
    "two lengths": "POST / HTTP/1.1\nhost: a\ncontent-length: 1\ntransfer-encoding: chunked",
    "no request": "\x00\x01",
    "large header": f"GET / HTTP/1.1\nhost: a\nx: {'y' * (33 << 10)}",
}


@pytest.mark.parametrize("what", DROPPED)
async def test_what_is_no_request_is_answered_by_the_end_of_the_connection(
    what: str, envoy: Rig
) -> None:
    """Envoy 1.40 closes before ext_proc has let the 400 go; without ext_proc it would show."""
    assert await envoy.ask(DROPPED[what]) == b""
    assert envoy.upstream.requests == []


async def test_a_denial_is_left_as_the_sidecar_wrote_it(envoy: Rig) -> None:
    answer = await envoy.ask("GET / HTTP/1.1\nhost: a\nx-deny: 1")

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"denied by the sidecar" in answer
    assert envoy.upstream.requests == []


async def test_an_error_of_the_sidecars_own_is_left_as_it_is(envoy: Rig) -> None:
    answer = await envoy.ask("GET / HTTP/1.1\nhost: a\nx-proc: own503")

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert answer.endswith(b"the sidecar's own words")


async def test_a_failing_processor_says_nothing_of_itself(envoy: Rig) -> None:
    answer = await envoy.ask("GET / HTTP/1.1\nhost: a\nx-proc: fail")

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert answer.endswith(worded(503))


@pytest.mark.parametrize("wish", ["echo", "hold"])
async def test_a_model_server_that_dies_is_worded_as_the_sidecar_would(
    wish: str, envoy: Rig
) -> None:
    async def die(request: Request, reply: Reply) -> None:
        if wish == "hold":  # after it has begun to answer, which the sidecar holds
            await reply.stream_head()
            await reply.chunk(b"secret")
        reply.reset()

    envoy.upstream.script = die

    answer = await envoy.ask(f"GET / HTTP/1.1\nhost: a\nx-proc: {wish}")

    status = int(answer.split()[1])
    assert status in {502, 503}
    assert worded(status) in answer
    assert b"secret" not in answer


async def test_interim_answers_do_not_pass(envoy: Rig) -> None:
    async def early(request: Request, reply: Reply) -> None:
        await reply.raw(b"HTTP/1.1 103 Early Hints\r\nlink: secret\r\n\r\n")
        await reply.document(b"{}")

    envoy.upstream.script = early

    answer = await envoy.ask("GET / HTTP/1.1\nhost: a")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"secret" not in answer


async def test_trailers_of_both_directions_pass_the_sidecar(envoy: Rig) -> None:
    async def trailing(request: Request, reply: Reply) -> None:
        await reply.stream_head("text/plain")
        await reply.chunk(b"hello")
        await reply.end(x_trailer="here")

    envoy.upstream.script = trailing

    answer = await envoy.ask(
        "POST / HTTP/1.1\nhost: a\nte: trailers\ntransfer-encoding: chunked",
        b"3\r\nabc\r\n0\r\nx-mine: 1\r\n\r\n",
    )

    (seen,) = envoy.upstream.requests
    assert seen.trailers == {"x-mine": "1", "x-processed-trailers": "request_trailers"}
    assert answer.endswith(
        b"0\r\nx-trailer: here\r\nx-processed-trailers: response_trailers\r\n\r\n"
    )


async def test_http_1_0_is_served(envoy: Rig) -> None:
    assert (await envoy.ask("GET / HTTP/1.0\nhost: a")).startswith(b"HTTP/1.0 200 OK\r\n")


async def test_the_access_log_holds_nothing_that_the_client_wrote(envoy: Rig) -> None:
    envoy.log.clear()
    await envoy.ask(
        "GET /secret-path?secret=query HTTP/1.1\nhost: secret-host\n"
        "authorization: Bearer secret-key\nuser-agent: secret-agent\nx-exchange: e42\nx-deny: 1"
    )
    await until(lambda: any("e42" in line for line in envoy.log))

    (line,) = (line for line in envoy.log if "e42" in line)
    assert "secret" not in "".join(envoy.log)
    logged = orjson.loads(line.partition("|")[2])
    assert logged["status"] == 401
    assert logged["details"] == "ext_authz_denied"
    assert logged["ext_proc"].startswith("sh:")


async def test_the_admin_page_switches_no_guard_off(envoy: Rig) -> None:
    admin = envoy.run.admin
    reader, writer = await asyncio.open_connection(admin.host, admin.port)
    guard = "envoy.reloadable_features.ext_proc_fail_close_spurious_resp"
    writer.write(
        f"POST /runtime_modify?{guard}=false HTTP/1.1\r\nhost: a\r\n"
        "content-length: 0\r\nconnection: close\r\n\r\n".encode()
    )
    answer = await reader.read(-1)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"No admin layer" in answer
