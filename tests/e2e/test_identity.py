"""Clients known by their certificate and by their signature, over TLS through a real Envoy."""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from extproc.envoyconf.settings import Tls
from tests.credentials.signing import PRIVATE, Message, public, sign
from tests.e2e import bodies
from tests.e2e.authority import Authority, Certificate
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering

STRANGER = 'Bearer realm="extproc", error="invalid_token"'

INFER = "/v2/models/digits/infer"
COVERED = ("@method", "@authority", "@path", "content-type")
WORKER = "spiffe://acme/worker"


@dataclass(frozen=True, slots=True)
class Mesh:
    """A gateway with TLS, and who connects to it."""

    gateway: LiveGateway
    authority: Authority
    clients: Mapping[str, Certificate]

    def client(self, name: str = "worker") -> httpx.Client:
        """Connects with a certificate, or with none."""
        return httpx.Client(base_url=self.url, verify=self.context(name), timeout=20)

    def context(self, name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.own.certificate))
        if name:
            context.load_cert_chain(*self.clients[name].files)
        return context

    @property
    def url(self) -> str:
        return f"https://{self.gateway.host}:{self.gateway.port}"

    def ask(self, name: str, **headers: str) -> httpx.Response:
        fields = {"content-type": "application/json", **headers}
        with self.client(name) as client:
            return client.post(INFER, content=bodies.infer_request(), headers=fields)


@pytest.fixture(scope="module")
def mesh(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    directory = tmp_path_factory.mktemp("mesh")
    authority, other = Authority(directory, "authority"), Authority(directory, "other")
    server = authority.issue("server", "127.0.0.1")
    clients = {
        "worker": authority.issue("worker", WORKER),
        "pinned": authority.issue("pinned"),
        "stranger": authority.issue("stranger", "spiffe://nobody/worker"),
        "subject": authority.issue("spiffe:__acme_worker"),
        "forged": other.issue("forged", WORKER),
    }
    (directory / "partner.pem").write_bytes(public(PRIVATE["ed25519"]))

    def policy(text: str) -> str:
        digest = clients["pinned"].digest
        return text.replace(
            "\nroutes:",
            f"""
clients: {{proxies: [127.0.0.0/8]}}
credentials:
  keys: {{kind: api_key}}
  mesh: {{kind: mtls, uris: {{"spiffe://acme/*": standard}}, digests: {{"{digest}": labels}}}}
  signed:
    kind: signature
    skew: 1s
    keys: {{partner-1: {{tenant: standard, algorithm: ed25519, public_key: "file:partner.pem"}}}}

routes:""",
        ).replace("dialect: openai_chat}", "dialect: openai_chat, credentials: {any_of: [signed]}}")

    tls = Tls(*server.files, client_ca=str(authority.own.certificate))
    with live_gateway(directory, scripted.port, policy=policy, tls=tls) as gateway:
        found = Mesh(gateway, authority, clients)
        # A nonce may have been shown before a sidecar began, as far as it knows.
        gateway.until(lambda: chat(found).status_code != 503)
        yield found
        assert gateway.fail_open_events() == 0


@pytest.fixture(autouse=True)
def _answering(upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())


def test_a_client_is_known_by_the_uri_of_its_certificate(mesh: Mesh, upstream: Upstream) -> None:
    assert mesh.ask("worker").status_code == 200
    assert len(upstream.requests) == 1


def test_a_client_is_known_by_the_digest_of_its_certificate(mesh: Mesh) -> None:
    answer = mesh.ask("pinned")
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["stranger", "subject"])
def test_a_certificate_that_names_nobody_proves_nothing(
    mesh: Mesh, upstream: Upstream, name: str
) -> None:
    spoofed = f'By=spiffe://x;Hash=1;URI={WORKER};Subject=""'
    assert mesh.ask(name).status_code == 401
    assert mesh.ask(name, **{"x-forwarded-client-cert": spoofed}).status_code == 401
    assert upstream.requests == []


def test_what_a_client_says_of_its_certificate_does_not_reach_the_model_server(
    mesh: Mesh, upstream: Upstream
) -> None:
    assert mesh.ask("worker", **{"x-forwarded-client-cert": "URI=spiffe://a/b"}).status_code == 200
    (seen,) = upstream.requests
    assert "x-forwarded-client-cert" not in seen.headers


def test_by_what_handshake_a_client_came_does_not_reach_the_model_server(
    mesh: Mesh, upstream: Upstream
) -> None:
    assert mesh.ask("worker", **{"x-extproc-ja4": "forged"}).status_code == 200
    (seen,) = upstream.requests
    assert "x-extproc-ja4" not in seen.headers


@pytest.mark.parametrize("name", ["", "forged"])
def test_envoy_refuses_whom_no_authority_vouches_for(
    mesh: Mesh, upstream: Upstream, name: str
) -> None:
    with pytest.raises((httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError)):
        mesh.ask(name)
    assert upstream.requests == []


def signed(
    mesh: Mesh,
    body: bytes | None = bodies.chat_request(),
    *,
    path: str = bodies.CHAT,
    host: str = "",
) -> Message:
    url = f"https://{host}" if host else mesh.url
    message = Message("POST", f"{url}{path}", {"content-type": "application/json"})
    now = int(datetime.now(UTC).timestamp())
    return sign(message, body, created=now, nonce=uuid4().hex, covered=COVERED)


def chat(
    mesh: Mesh, message: Message | None = None, body: bytes = bodies.chat_request()
) -> httpx.Response:
    message = message or signed(mesh)
    with mesh.client() as client:
        return client.post(bodies.CHAT, content=body, headers=message.headers)


def test_a_signed_request_is_served_once(mesh: Mesh, upstream: Upstream) -> None:
    upstream.script = answering(bodies.chat_answer())
    message = signed(mesh)
    assert chat(mesh, message).status_code == 200
    (seen,) = upstream.requests
    assert not seen.headers.keys() & {"signature", "signature-input", "content-digest"}
    again = chat(mesh, message)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "invalid_api_key")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("change", ["tampered", "longer", "none"])
def test_a_body_that_was_not_signed_does_not_pass(
    mesh: Mesh, upstream: Upstream, change: str
) -> None:
    body = bodies.chat_request()
    sent = {"tampered": body.replace(b'"user"', b'"tool"'), "longer": body + b" ", "none": b""}
    assert sent[change] != body
    answer = chat(mesh, body=sent[change])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == STRANGER
    assert upstream.requests == []


def test_a_signature_without_a_digest_proves_nothing(mesh: Mesh, upstream: Upstream) -> None:
    bare = signed(mesh, None)
    assert chat(mesh, bare).status_code == 401
    assert upstream.requests == []


@pytest.mark.parametrize("target", ["/v1//chat/./completions", "/v1/x/../chat/completions"])
def test_what_is_signed_is_the_path_as_envoy_normalises_it(
    mesh: Mesh, upstream: Upstream, target: str
) -> None:
    upstream.script = answering(bodies.chat_answer())
    plain, raw = signed(mesh), signed(mesh, path=target)
    assert post_raw(mesh, target, raw).startswith(b"HTTP/1.1 401 ")
    assert post_raw(mesh, target, plain).startswith(b"HTTP/1.1 200 ")


def test_the_host_is_signed_in_lower_case(mesh: Mesh, upstream: Upstream) -> None:
    upstream.script = answering(bodies.chat_answer())
    message = signed(mesh, host="api.example")
    assert post_raw(mesh, bodies.CHAT, message, host="API.example:443").startswith(b"HTTP/1.1 200 ")


def post_raw(mesh: Mesh, target: str, message: Message, host: str = "") -> bytes:
    """As no client library would: it would normalise the path itself."""
    body = bodies.chat_request()
    fields = {"host": host or mesh.url.partition("//")[2], "connection": "close", **message.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"POST {target} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
    with (
        socket.create_connection((mesh.gateway.host, mesh.gateway.port), timeout=20) as plain,
        mesh.context("worker").wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        secure.sendall(head.encode() + body)
        return b"".join(iter(lambda: secure.recv(65_536), b""))


def test_a_client_behind_a_proxy_of_ours_has_its_own_address(mesh: Mesh) -> None:
    def client(forwarded: str | None) -> str:
        before = len(mesh.gateway.log)
        fields = {} if forwarded is None else {"x-forwarded-for": forwarded}
        assert mesh.ask("stranger", **fields).status_code == 401
        mesh.gateway.until(lambda: any('"denied"' in line for line in mesh.gateway.log[before:]))
        [line] = [line for line in mesh.gateway.log[before:] if '"denied"' in line]
        found: str = json.loads(line[line.index("{") :])["client"]
        return found

    first = client("203.0.113.7")
    assert client("198.51.100.1, 203.0.113.7") == first
    assert client("203.0.113.7, 198.51.100.1") != first
    assert client(None) != first
    assert "203.0.113.7" not in "".join(mesh.gateway.log)
