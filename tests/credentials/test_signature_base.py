"""The text that is signed, against the examples of RFC 9421 and against a library's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.credentials.signature_base import base
from extproc.credentials.signature_fields import Signed
from extproc.events import CheckedRequest

FIELDS = {
    ":authority": "Example.com",
    ":scheme": "https",
    "content-type": "application/json",
    "x-spaced": " \t two  words\t",
    "x-empty": "",
}
REQUEST = CheckedRequest("POST", "/foo?param=Value&Pet=dog", FIELDS)


def text(*components: str, request: CheckedRequest = REQUEST) -> str | None:
    signed = Signed(components, 0, "n", "k", "PARAMETERS", b"")
    found = base(request, signed)
    if found is None:
        return None
    lines = found.decode().split("\n")
    assert lines.pop() == '"@signature-params": PARAMETERS'
    assert len(lines) == len(components)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("@method", "POST"),
        ("@authority", "example.com"),
        ("@scheme", "https"),
        ("@path", "/foo"),
        ("@query", "?param=Value&Pet=dog"),
        ("@target-uri", "https://example.com/foo?param=Value&Pet=dog"),
        ("content-type", "application/json"),
        ("x-spaced", "two  words"),
        ("x-empty", ""),
    ],
)
def test_a_component_has_one_line(component: str, value: str) -> None:
    assert text(component) == f'"{component}": {value}'


def test_lines_stand_in_the_order_of_the_signature() -> None:
    assert text("@path", "@method") == '"@path": /foo\n"@method": POST'


@pytest.mark.parametrize(
    "component",
    [
        "x-missing",
        "@unknown",
        "@status",
        "@request-target",
        "signature",
        "signature-input",
        "Content-Type",
    ],
)
def test_what_a_request_has_not_leaves_nothing_to_check(component: str) -> None:
    request = CheckedRequest("POST", "/foo", {**FIELDS, "signature": "a", "signature-input": "b"})
    assert text("@method", component, request=request) is None


@pytest.mark.parametrize("value", ["a\nb", "a\r\nb", "a\0b", "ä", "\x7f", "a\x0bb"])
def test_what_is_not_visible_ascii_leaves_nothing_to_check(value: str) -> None:
    request = CheckedRequest("POST", "/foo", {**FIELDS, "x": value})
    assert text("x", request=request) is None
    assert text("@path", request=CheckedRequest("POST", f"/{value}", FIELDS)) is None


@pytest.mark.parametrize(
    ("scheme", "authority", "value"),
    [
        ("https", "example.com:443", "example.com"),
        ("http", "EXAMPLE.com:80", "example.com"),
        ("https", "example.com:80", "example.com:80"),
        ("http", "example.com:443", "example.com:443"),
        ("https", "example.com:8443", "example.com:8443"),
        ("https", "[::1]:443", "[::1]"),
        ("ftp", "example.com:80", "example.com:80"),
    ],
)
def test_the_port_of_the_scheme_is_not_part_of_the_authority(
    scheme: str, authority: str, value: str
) -> None:
    request = CheckedRequest("GET", "/", {":scheme": scheme, ":authority": authority})
    assert text("@authority", request=request) == f'"@authority": {value}'
    assert text("@target-uri", request=request) == f'"@target-uri": {scheme}://{value}/'


@pytest.mark.parametrize("path", ["/foo", "/"])
def test_a_request_without_a_query_has_an_empty_one(path: str) -> None:
    assert text("@query", request=CheckedRequest("GET", path, FIELDS)) == '"@query": ?'


def test_an_empty_path_is_the_root() -> None:
    assert text("@path", request=CheckedRequest("GET", "", FIELDS)) == '"@path": /'


@given(value=st.text(max_size=30), path=st.text(max_size=30))
def test_no_value_can_begin_another_line(value: str, path: str) -> None:
    request = CheckedRequest("POST", f"/{path}", {**FIELDS, "x": value})
    found = text("x", "@path", "@query", "@target-uri", request=request)
    assert found is None or found.isascii()
