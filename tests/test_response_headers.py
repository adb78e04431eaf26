from hypothesis import given
from hypothesis import strategies as st

from extproc.response_headers import (
    FRAMING,
    PASSING,
    PASSING_TRAILERS,
    passing,
    removable,
    removable_trailers,
)

NAMES = st.lists(
    st.one_of(
        st.sampled_from(sorted(PASSING | PASSING_TRAILERS | {":status", "openai-model", "etag"})),
        st.text("aetg-:", min_size=1, max_size=8),
    )
)

LEAKS = [
    "openai-processing-ms",
    "openai-model",
    "openai-version",
    "x-envoy-upstream-service-time",
    "server",
    "server-timing",
    "etag",
    "last-modified",
    "content-length",
    "content-encoding",
    "content-range",
    "set-cookie",
    "location",
    "alt-svc",
    "x-ratelimit-remaining-tokens",
    "grpc-message",
    "nv-inference-time",
    "retry-after",
    "www-authenticate",
    "x-request-id",
]


def test_what_tells_about_the_model_server_is_removed() -> None:
    assert removable(["content-type", *LEAKS, ":status", "vary"]) == tuple(LEAKS)
    assert removable_trailers(["grpc-status", *LEAKS]) == tuple(LEAKS)


@given(names=NAMES)
def test_what_is_not_on_the_list_is_removed_and_nothing_else(names: list[str]) -> None:
    left = [name for name in names if name not in removable(names)]
    assert all(name in PASSING or name.startswith(":") for name in left)
    assert not PASSING.intersection(removable(names))
    assert removable(left) == ()


@given(names=NAMES)
def test_of_trailers_the_status_of_grpc_alone_passes(names: list[str]) -> None:
    assert removable_trailers(names) == tuple(name for name in names if name != "grpc-status")


def test_nothing_that_passes_may_hold_a_header_of_many_cases() -> None:
    """HTTP/2 names are lower case, so that a list in another case would remove what it keeps."""
    assert all(name == name.lower() for name in PASSING | PASSING_TRAILERS)


def test_what_passes_into_a_head_that_is_written_anew_is_what_is_not_removed() -> None:
    fields = {":status": "200", "content-type": "a", "vary": "b", "date": "c", "connection": "d"}
    assert passing(fields | dict.fromkeys(LEAKS, "s3cret")) == {"content-type": "a", "vary": "b"}


@given(NAMES)
def test_a_field_passes_is_removed_or_is_envoys(names: list[str]) -> None:
    passed = passing(dict.fromkeys(names, ""))
    others = {name for name in names if name in FRAMING or name.startswith(":")}
    assert {*passed} | {*removable(names)} | others == {*names}
    assert not {*passed} & ({*removable(names)} | others)
