"""Paths, and what of them is one of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import KServeV2, OpenAIChat
from extproc.dialects.status import Status
from extproc.route import Route

INFER = Route("POST", "/v2/models/{model}/infer", KServeV2())
VERB = Route("POST", "/v1beta/models/{model}:generateContent", KServeV2())
CHAT = Route("POST", "/v1/chat/completions", OpenAIChat())


def test_a_route_has_a_name() -> None:
    assert INFER.name == "POST /v2/models/{model}/infer"


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/v2/models/digits/infer", {"model": "digits"}),
        ("/v2/models/a.b:c@d+e-f_1/infer", {"model": "a.b:c@d+e-f_1"}),
        ("/v2/models/a%20b/infer", {"model": "a b"}),
        ("/v2/models/.../infer", {"model": "..."}),
        ("/v2/models/.a/infer", {"model": ".a"}),
        (f"/v2/models/{'a' * 256}/infer", {"model": "a" * 256}),
    ],
)
def test_a_parameter_is_decoded_once(path: str, parameters: dict[str, str]) -> None:
    assert INFER.match(path) == parameters


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models//infer",
        "/v2/models/a/b/infer",
        "/v2/models/a%2Fb/infer",
        "/v2/models/a%252Fb/infer",
        "/v2/models/a%2562/infer",
        "/v2/models/a%5Cb/infer",
        "/v2/models/a%00/infer",
        "/v2/models/a%0A/infer",
        "/v2/models/a\n/infer",
        "/v2/models/a;b=c/infer",
        "/v2/models/%zz/infer",
        "/v2/models/%ff/infer",
        "/v2/models/./infer",
        "/v2/models/../infer",
        "/v2/models/%2e%2E/infer",
        "/v2/models/%C3%A4/infer",
        "/v2/models/ä/infer",
        f"/v2/models/{'a' * 257}/infer",
        "/v2/models/a/infer/",
        "/v2/models/a/infer?x=1",
        "/V2/models/a/infer",
        "/v2/models/a/infer\n",
        "/v2/models/a/%69nfer",
        "x/v2/models/a/infer",
        "",
    ],
)
def test_what_servers_may_read_in_two_ways_does_not_match(path: str) -> None:
    assert INFER.match(path) is None


def test_a_path_without_parameters_matches_itself_alone() -> None:
    route = Route("GET", "/v2/health.ready+", Status())
    assert route.match("/v2/health.ready+") == {}
    assert route.match("/v2/healthXready+") is None
    assert route.match("/v2/health.readyy") is None


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gem", "gem"),
        ("gem-2.5_pro@1", "gem-2.5_pro@1"),
        ("gem%2D2", "gem-2"),
        ("gem:streamGenerateContent", None),
        ("gem%3AstreamGenerateContent", None),
        ("gem:", None),
        (":", None),
        ("", None),
        ("..", None),
        ("a/b", None),
    ],
)
def test_what_stands_before_a_verb_has_no_colon(name: str, model: str | None) -> None:
    found = VERB.match(f"/v1beta/models/{name}:generateContent")
    assert found == (None if model is None else {"model": model})


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/gem",
        "/v1beta/models/gem:",
        "/v1beta/models/gem:generatecontent",
        "/v1beta/models/gem:streamGenerateContent",
        "/v1beta/models/gem:generateContent:generateContent",
        "/v1beta/models/gem:generateContent/",
        "/v1beta/models/gem%3AgenerateContent",
        "/v1beta/models/gem/generateContent",
    ],
)
def test_a_verb_is_matched_as_it_is_written(path: str) -> None:
    assert VERB.match(path) is None


@given(st.text())
def test_a_parameter_never_holds_what_leaves_its_segment(value: str) -> None:
    matched = INFER.match(f"/v2/models/{value}/infer")
    if matched is not None:
        assert not set(matched["model"]) & set("/\\?#%;\n\0")
        assert matched["model"] not in {"", ".", ".."}
