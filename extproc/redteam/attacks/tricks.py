"""Ways to write a request that a gateway may not count, each after a known bypass.

Sources: RFC 9110 and RFC 9112 for what else is the same request (methods, versions, framing); RFC
3986, section 6, for what else is the same path; the header fields by which proxies name a path that
they have changed; and bodies that say less than they hold.

Rule: a trick is the bytes of one request about the same inputs as the plain one; whether it was
counted shows in what is answered when nothing is left.
"""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from extproc.redteam.raw import rendered
from extproc.redteam.request import Request


@dataclass(frozen=True, slots=True)
class Trick:
    """``data`` are the bytes of the request; ``group`` is what kind of trick it is."""

    group: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Plain:
    """The request that tricks vary."""

    request: Request
    host: str
    key: str
    bearer: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bearer", {"authorization": f"Bearer {self.key}"})

    def written(self, **headers: str) -> bytes:
        """As bytes, with further header fields; their names have _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return rendered(self.request, self.host, {**self.bearer, **named})

    def varied(self, **changes: Any) -> "Plain":
        """With another path, method or body."""
        return Plain(replace(self.request, **changes), self.host, self.key)


def tricks(plain: Plain) -> Iterator[Trick]:
    """All of them."""
    for group, found in (
        ("alias", _aliases(plain)),
        ("method", _methods(plain)),
        ("protocol", _protocols(plain)),
        ("header", _headers(plain)),
        ("body", _bodies(plain)),
    ):
        for name, data in found:
            yield Trick(group, name, data)


def _aliases(plain: Plain) -> Iterator[tuple[str, bytes]]:
    path = plain.request.path
    first, _, rest = path[1:].partition("/")
    *folders, last = path.split("/")
    folder, escaped = "/".join(folders), f"%{ord(last[0]):02x}{last[1:]}"
    for name, alias in {
        "trailing slash": f"{path}/",
        "leading slash twice": f"/{path}",
        "slash twice": f"/{first}//{rest}",
        "capitals": path.upper(),
        "capital": f"{folder}/{last.capitalize()}",
        "escaped letter": f"{folder}/{escaped}",
        "escaped slash": f"{folder}%2f{last}",
        "escaped dot": f"/{first}/%2e/{rest}",
        "dot": f"/{first}/./{rest}",
        "parent": f"/{first}/x/../{rest}",
        "escaped parent": f"/{first}/x/%2e%2e/{rest}",
        "parameter": f"{path};v=1",
        "query": f"{path}?v=1",
        "empty query": f"{path}?",
        "fragment": f"{path}#v",
        "backslash": f"{folder}\\{last}",
        "escaped null": f"{path}%00",
        "version before": f"/v{_number(first) - 1}/{rest}",
        "version after": f"/v{_number(first) + 1}/{rest}",
        "model's version": f"{folder}/versions/1/{last}",
        "model in capitals": f"{folder.upper()}/{last}",
        "model's tag": f"{folder}:latest/{last}",
        "absolute": f"http://{plain.host}{path}",
    }.items():
        yield name, plain.varied(path=alias).written()


def _methods(plain: Plain) -> Iterator[tuple[str, bytes]]:
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "QUERY", "post"):
        yield method, plain.varied(method=method).written()
    yield "override", plain.written(x_http_method_override="GET")


def _protocols(plain: Plain) -> Iterator[tuple[str, bytes]]:
    request, host = plain.request, plain.host
    body, size = request.body, f"{len(request.body):x}".encode()
    chunked = size + b"\r\n" + body + b"\r\n0\r\n\r\n"
    bare = replace(request, body=b"")
    head = rendered(bare, host, {**plain.bearer, "content-length": str(len(body))})
    yield "HTTP/1.0", rendered(request, host, plain.bearer, "HTTP/1.0")
    head_chunked = rendered(bare, host, {**plain.bearer, "transfer-encoding": "chunked"}).replace(
        b"content-length: 0\r\n", b""
    )
    yield "chunked", head_chunked + chunked
    yield (
        "chunked and length",
        rendered(
            bare, host, {**plain.bearer, "transfer-encoding": "chunked", "content-length": "4"}
        )
        + chunked,
    )
    yield "length twice", head.replace(b"\r\n\r\n", b"\r\ncontent-length: 4\r\n\r\n") + body
    yield "expected", plain.written(expect="100-continue")
    kept = plain.written(connection="keep-alive")
    yield "pipelined", kept + plain.written()
    yield "upgrade", plain.written(connection="upgrade", upgrade="websocket")


def _headers(plain: Plain) -> Iterator[tuple[str, bytes]]:
    key = plain.key
    yield (
        "key twice",
        plain.written().replace(
            b"authorization:", b"authorization: Bearer xk-nobody\r\nauthorization:", 1
        ),
    )
    yield "key in two fields", plain.written(x_api_key=key)
    yield "other scheme's case", plain.written(authorization=f"bEARER {key}")
    yield "spaces", plain.written(authorization=f"Bearer   {key}  ")
    yield "other field", rendered(plain.request, plain.host, {"x-api-key": key})
    for name in (
        "x-envoy-original-path",
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-prefix",
    ):
        yield name, plain.written(**{name: "/v2/health/ready"})
    yield "forwarded", plain.written(x_forwarded_for="127.0.0.1", x_envoy_internal="true")
    yield "tenant", plain.written(x_tenant="somebody", x_extproc_tenant="somebody")
    yield "retries", plain.written(x_envoy_max_retries="3", x_envoy_retry_on="5xx")
    yield "other host", plain.written(host="localhost")


def _bodies(plain: Plain) -> Iterator[tuple[str, bytes]]:
    body = plain.request.body
    yield "charset", plain.written(content_type="application/json; charset=utf-8")
    yield "other type", plain.written(content_type="text/plain")
    yield "compressed", plain.varied(body=gzip.compress(body)).written(content_encoding="gzip")
    yield "byte order mark", plain.varied(body=b"\xef\xbb\xbf" + body).written()
    yield "spaces around", plain.varied(body=b" \n" + body + b"\n ").written()
    said: Any = orjson.loads(body)
    yield "unknown field", plain.varied(body=orjson.dumps({**said, "priority": "free"})).written()
    names = list(said)
    twice = b"{" + orjson.dumps(names[0]) + b":[]," + body[1:]
    yield "member twice", plain.varied(body=twice).written()
    for name, changed in _shapes(said):
        yield name, plain.varied(body=orjson.dumps(changed)).written()


def _shapes(said: Any) -> Iterator[tuple[str, Any]]:
    """Tensors that say that they are smaller than they are."""
    for tensor in said.get("inputs", []) if isinstance(said.get("inputs"), list) else []:
        if isinstance(tensor, dict) and len(tensor.get("shape", ())) == 2:
            rows, columns = tensor["shape"]
            yield "one row", {**said, "inputs": [{**tensor, "shape": [1, columns]}]}
            yield "one long row", {**said, "inputs": [{**tensor, "shape": [1, rows * columns]}]}
            yield "three axes", {**said, "inputs": [{**tensor, "shape": [1, rows, columns]}]}
            yield "negative", {**said, "inputs": [{**tensor, "shape": [-1, columns]}]}


def _number(segment: str) -> int:
    digits = segment.removeprefix("v")
    return int(digits) if digits.isdigit() else 1
