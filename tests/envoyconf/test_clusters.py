import asyncio
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.settings import parse_address, parse_upstream
from extproc.gateway.running import running
from tests.envoyconf import shipped
from tests.gateway import rig

HERE = Path(__file__).parent


def _upstream(url: str, **changes: Any) -> Any:
    gateway = replace(shipped.GATEWAY, upstream=parse_upstream(url), **changes)
    return shipped.cluster(bootstrap(gateway), "upstream")


def _sidecar(address: str) -> Any:
    gateway = replace(shipped.GATEWAY, sidecar=parse_address(address))
    return shipped.cluster(bootstrap(gateway), "extproc")


def _protocol(cluster: Any) -> Any:
    (options,) = cluster["typed_extension_protocol_options"].values()
    return options


def test_addresses_are_used_as_they_are_and_names_are_looked_up() -> None:
    assert _upstream("http://127.0.0.1:8000")["type"] == "STATIC"
    assert _upstream("http://[::1]:8000")["type"] == "STATIC"
    assert _upstream("http://localhost:8000")["type"] == "STRICT_DNS"
    assert _sidecar("unix:///run/x.sock")["type"] == "STATIC"
    assert _sidecar("sidecar:9100")["type"] == "STRICT_DNS"


def test_the_sidecar_is_asked_over_http2_with_room_for_a_stream_per_request() -> None:
    cluster = _sidecar("unix:///run/x.sock")
    (thresholds,) = cluster["circuit_breakers"]["thresholds"]

    assert "http2_protocol_options" in _protocol(cluster)["explicit_http_config"]
    assert set(thresholds) == {"max_connections", "max_pending_requests", "max_requests"}
    assert min(thresholds.values()) == 1_000_000


def test_a_sidecar_that_is_frozen_is_noticed() -> None:
    http2 = _protocol(_sidecar("unix:///run/x.sock"))["explicit_http_config"]

    assert http2["http2_protocol_options"] == {
        "connection_keepalive": {"interval": "2s", "timeout": "3s"}
    }


def test_both_bound_what_is_read_at_once() -> None:
    for name in ("upstream", "extproc"):
        cluster = shipped.cluster(shipped.document(), name)
        assert cluster["per_connection_buffer_limit_bytes"] == 256 << 10


def test_trailers_of_the_model_server_are_not_dropped_unseen() -> None:
    http1 = _protocol(_upstream("http://models"))["explicit_http_config"]["http_protocol_options"]

    assert http1 == {"enable_trailers": True}


def test_grpc_is_spoken_over_http2() -> None:
    for url in ("grpc://models:8001", "grpcs://models:8001"):
        options = _protocol(_upstream(url))
        assert options["explicit_http_config"] == {
            "http2_protocol_options": {"max_concurrent_streams": 100}
        }
        assert options["common_http_protocol_options"] == {"idle_timeout": "4s"}
    tls = _upstream("grpcs://models")["transport_socket"]["typed_config"]["common_tls_context"]
    assert tls["alpn_protocols"] == ["h2"]
    plain = _upstream("https://models")["transport_socket"]["typed_config"]["common_tls_context"]
    assert "alpn_protocols" not in plain


def test_a_connection_is_let_go_before_the_model_server_lets_it_go() -> None:
    common = _protocol(_upstream("http://models"))["common_http_protocol_options"]

    assert common == {"idle_timeout": "4s"}


@pytest.mark.parametrize(
    ("url", "san"),
    [
        ("https://models:8443", {"san_type": "DNS", "matcher": {"exact": "models"}}),
        ("https://192.0.2.1", {"san_type": "IP_ADDRESS", "matcher": {"exact": "192.0.2.1"}}),
    ],
)
def test_over_tls_the_model_server_must_prove_its_name(url: str, san: dict[str, Any]) -> None:
    tls = _upstream(url, trusted_ca="/ca.pem")["transport_socket"]["typed_config"]
    validation = tls["common_tls_context"]["validation_context"]

    assert validation == {
        "trusted_ca": {"filename": "/ca.pem"},
        "match_typed_subject_alt_names": [san],
    }
    assert tls.get("sni") == ("models" if san["san_type"] == "DNS" else None)


def test_without_tls_there_is_no_transport_socket() -> None:
    assert "transport_socket" not in _upstream("http://models")


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
    await writer.drain()
    writer.close()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("host", "authority", "status"),
    [
        ("localhost", "localhost.pem", 200),
        ("localhost", "authority.pem", 503),  # nobody we trust vouches for it
        ("127.0.0.1", "localhost.pem", 503),  # it is not who we asked for
    ],
)
async def test_only_the_right_model_server_is_talked_to(
    host: str, authority: str, status: int, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "localhost.pem")
    async with await asyncio.start_server(_greet, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://{host}:{server.sockets[0].getsockname()[1]}"
        plan = rig.setup(tmp_path, url, lambda line: None)
        trusting = replace(plan.gateway, trusted_ca=str(HERE / authority))
        async with running(replace(plan, gateway=trusting)) as run:
            answer = await rig.ask(run.address, "GET / HTTP/1.1\nhost: a")

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
