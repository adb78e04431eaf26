from base64 import b64encode
from hashlib import sha256, sha512
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.content_digest import EMPTY, BodyDigest, digests
from extproc.events import (
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
)

HASHES: dict[str, Any] = {"sha-256": sha256, "sha-512": sha512}


def told(body: bytes, *names: str) -> str:
    """As a client writes it."""
    members = (
        f"{name}=:{b64encode(HASHES[name](body).digest()).decode()}:"
        for name in names or ("sha-256",)
    )
    return ", ".join(members)


def test_the_examples_of_rfc_9530_are_read() -> None:
    """Appendix D: the digests of ``{"hello": "world"}`` and a line feed."""
    sha = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    assert digests(sha) == {"sha-256": sha256(b'{"hello": "world"}\n').digest()}
    long = (
        "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCs"
        "yRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"
    )
    assert digests(long) == {"sha-512": sha512(b'{"hello": "world"}\n').digest()}
    assert digests(f"{sha},{long}") == digests(f"{sha}, {long}")
    assert len(digests(f"{sha},{long}") or ()) == 2


def test_the_digest_of_nothing_is_known() -> None:
    assert told(b"") == EMPTY


WRONG = {
    "nothing": "",
    "an algorithm that is broken": "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:",
    "one known and one not": f"{EMPTY}, md5=:1B2M2Y8AsgTpgAmY7PhCfg==:",
    "in capitals": EMPTY.upper(),
    "twice": f"{EMPTY}, {EMPTY}",
    "cut": EMPTY[:-1],
    "text": EMPTY.replace(":", '"'),
    "hexadecimal": f"sha-256=:{'0' * 64}:",
    "too short": "sha-256=:AAAA:",
    "of the other's length": told(b"", "sha-512").replace("sha-512", "sha-256"),
    "without padding": EMPTY.replace("=:", ":").replace("sha-256:", "sha-256=:"),
    "with too much padding": EMPTY.replace("U=:", "U==:"),
    "with a parameter": f"{EMPTY};a",
    "spaces": f" {EMPTY}",
    "a line break": f"{EMPTY}\n",
    "an empty member": f"{EMPTY},",
    "oversized": f"{EMPTY}, {told(b'', 'sha-512')}{' ' * 200}",
}


@pytest.mark.parametrize("what", WRONG)
def test_another_way_to_write_a_digest_is_refused(what: str) -> None:
    assert digests(WRONG[what]) is None
    assert not BodyDigest(WRONG[what]).passes(RequestBody(b"", end=True))


@given(
    body=st.binary(max_size=200),
    names=st.lists(st.sampled_from([*HASHES]), min_size=1, unique=True),
    cuts=st.lists(st.integers(0, 200), max_size=5),
)
def test_a_body_passes_however_it_is_cut(body: bytes, names: list[str], cuts: list[int]) -> None:
    signed = BodyDigest(told(body, *names))
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    assert signed.passes(RequestHeaders(end=False))
    assert all(signed.passes(RequestBody(piece, end=False)) for piece in pieces)
    assert signed.passes(RequestBody(b"", end=True))
    assert signed.passes(RequestTrailers())


@given(body=st.binary(max_size=50), other=st.binary(max_size=50))
def test_another_body_does_not(body: bytes, other: bytes) -> None:
    assert BodyDigest(told(body)).passes(RequestBody(other, end=True)) == (body == other)


def test_all_that_is_told_must_fit() -> None:
    one_wrong = f"{told(b'a')}, {told(b'b', 'sha-512')}"
    for body in (b"a", b"b"):
        assert not BodyDigest(one_wrong).passes(RequestBody(body, end=True))


def test_a_request_without_a_body_has_the_digest_of_nothing() -> None:
    assert BodyDigest(EMPTY).passes(RequestHeaders(end=True))
    assert not BodyDigest(told(b"a")).passes(RequestHeaders(end=True))
    assert not BodyDigest(told(b"a")).passes(RequestTrailers())


def test_an_answer_has_nothing_to_do_with_it() -> None:
    signed = BodyDigest(told(b"a"))
    assert signed.passes(ResponseHeaders(200, {}, end=True))
    assert signed.passes(ResponseBody(b"b", end=True))
