"""Each trick is one request that says another thing in the same way, or the same in another."""

import gzip

import numpy as np
import orjson
import pytest

from extproc.redteam.attacks.tricks import Plain, Trick, tricks
from extproc.redteam.request import Request
from tests.redteam.faulty import victim

KEY = "xk-1"


@pytest.fixture(scope="module")
def found() -> dict[str, Trick]:
    request = victim().adapter.request(np.ones((3, 4)), 0)
    return {trick.name: trick for trick in tricks(Plain(request, "h", KEY))}


def _line(trick: Trick) -> str:
    return trick.data.split(b"\r\n")[0].decode()


def test_no_two_are_the_same(found: dict[str, Trick]) -> None:
    request = victim().adapter.request(np.ones((3, 4)), 0)
    every = list(tricks(Plain(request, "h", KEY)))
    assert len({trick.data for trick in every}) == len(every) == len(found)
    assert {trick.group for trick in every} == {"alias", "method", "protocol", "header", "body"}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("trailing slash", "POST /v2/models/planted/infer/ HTTP/1.1"),
        ("leading slash twice", "POST //v2/models/planted/infer HTTP/1.1"),
        ("escaped letter", "POST /v2/models/planted/%69nfer HTTP/1.1"),
        ("escaped parent", "POST /v2/x/%2e%2e/models/planted/infer HTTP/1.1"),
        ("version before", "POST /v1/models/planted/infer HTTP/1.1"),
        ("model's version", "POST /v2/models/planted/versions/1/infer HTTP/1.1"),
        ("HEAD", "HEAD /v2/models/planted/infer HTTP/1.1"),
        ("HTTP/1.0", "POST /v2/models/planted/infer HTTP/1.0"),
        ("absolute", "POST http://h/v2/models/planted/infer HTTP/1.1"),
    ],
)
def test_the_first_line_is_what_varies(found: dict[str, Trick], name: str, line: str) -> None:
    assert _line(found[name]) == line


def test_a_path_without_a_version_has_versions_all_the_same() -> None:
    plain = Plain(Request("/predict/now", b'{"x": [1]}'), "h", KEY)
    names = {trick.name: trick for trick in tricks(plain)}
    assert _line(names["version after"]) == "POST /v2/now HTTP/1.1"
    assert "one row" not in names


def test_a_tensor_says_less_than_it_holds(found: dict[str, Trick]) -> None:
    body = orjson.loads(found["one row"].data.partition(b"\r\n\r\n")[2])
    assert body["inputs"][0]["shape"] == [1, 4]
    assert len(body["inputs"][0]["data"]) == 12


def test_a_member_stands_twice_and_the_second_is_the_real_one(found: dict[str, Trick]) -> None:
    body = found["member twice"].data.partition(b"\r\n\r\n")[2]
    assert body.startswith(b'{"inputs":[],"inputs":[{')
    assert orjson.loads(body)["inputs"]


def test_chunks_and_length_say_different_things(found: dict[str, Trick]) -> None:
    head, _, body = found["chunked and length"].data.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert b"content-length: 4" in head
    assert body.endswith(b"\r\n0\r\n\r\n")
    assert b"content-length" not in found["chunked"].data


def test_the_key_is_sent_in_every_way(found: dict[str, Trick]) -> None:
    for name in ("other field", "other scheme's case", "key in two fields", "spaces"):
        assert KEY.encode() in found[name].data
    assert b"xk-nobody\r\nauthorization: Bearer xk-1" in found["key twice"].data


def test_two_requests_follow_each_other_on_one_connection(found: dict[str, Trick]) -> None:
    assert found["pipelined"].data.count(b"POST /v2/models/planted/infer HTTP/1.1\r\n") == 2


def test_what_is_compressed_says_so_and_holds_the_same(found: dict[str, Trick]) -> None:
    head, _, body = found["compressed"].data.partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    plain = found["charset"].data.partition(b"\r\n\r\n")[2]
    assert gzip.decompress(body) == plain


def test_names_of_header_fields_have_dashes(found: dict[str, Trick]) -> None:
    for name in ("x-forwarded-for", "x-envoy-internal"):
        assert f"\r\n{name}: ".encode() in found["forwarded"].data
    for trick in found.values():
        fields = trick.data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        assert not any(b"_" in field.partition(b":")[0] for field in fields), trick.name
