"""Request bodies: one object, every field known, nothing said twice."""

import json
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects.gate import PASS, Object, Repeatable, Terms
from extproc.dialects.request import Admitted, admit, read_object, repeats_a_key, require
from extproc.errors import ClientError


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\x01"}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":' * 1020 + b"1" + b"}" * 1020,
        b'{"a":' * 9999 + b"1" + b"}" * 9999,
        b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
    ],
)
def test_what_is_not_json_as_everyone_reads_it_is_refused(body: bytes) -> None:
    with pytest.raises(ClientError, match="not valid JSON"):
        read_object(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"model"', b"1", b"true", b'[{"a":1}]'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ClientError, match="not a JSON object"):
        read_object(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":3}',
        b'{"model":"x","\\u006dodel":"y"}',
        b'{"\\/":1,"/":2}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":[1,{"b":1,"b":{}}]}',
        b'{"a":{"\\ud83d\\ude00":1,"\xf0\x9f\x98\x80":2}}',
        b'{"":1,"":2}',
    ],
)
def test_a_key_that_is_said_twice_in_any_spelling_is_refused(body: bytes) -> None:
    with pytest.raises(ClientError, match="repeats a key"):
        read_object(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
        b'{ "A" : 1, "a" : 1.50, "\\u0061\\u0301": 1e2, "\xc3\xa1": 12345678901234567890123 }',
        b"{}",
    ],
)
def test_keys_that_only_look_alike_are_not_repeated(body: bytes) -> None:
    assert read_object(body) == orjson.loads(body)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=5), st.booleans())
def test_a_key_is_repeated_when_there_are_fewer_than_were_said(
    pairs: list[tuple[str, int]], spaced: bool
) -> None:
    comma = " , " if spaced else ","
    inner = "{" + comma.join(f"{json.dumps(key)}:{value}" for key, value in pairs) + "}"
    document = f'[1,{{"x":{inner}}}]'.encode()
    value = orjson.loads(document)
    assert repeats_a_key(document, value) is (len(value[1]["x"]) < len(pairs))


GATE = Object({"model": PASS, "seed": Repeatable()})


def test_a_body_goes_on_byte_for_byte_where_nothing_is_changed() -> None:
    original = b'{ "model" : "m", "seed" : 1 }'
    admitted = admit(original, GATE, Terms(()))
    assert admitted.body is original
    assert admitted.changed == {}


def test_a_body_is_written_anew_where_something_is_changed() -> None:
    admitted = admit(b'{ "model" : "m", "seed" : 1 }', GATE, Terms((), repeatable=False))
    assert admitted.body == b'{"model":"m"}'
    assert admitted.changed == {"seed": 1}
    assert admitted.read == {"model": "m", "seed": 1}


def test_what_the_policy_allows_besides_passes() -> None:
    original = b'{"model":"m","best_of":1}'
    assert admit(original, GATE, Terms(()), ("best_of",)).body is original
    with pytest.raises(ClientError, match="best_of"):
        admit(original, GATE, Terms(()))


def test_a_requirement_that_holds_says_nothing() -> None:
    require("yes", "never read")
    with pytest.raises(ClientError, match="must hold"):
        require(0, "must hold")


@pytest.mark.parametrize("model", [None, "", 7, ["m"]])
def test_a_model_is_named_by_a_string(model: Any) -> None:
    assert Admitted(b"", {"model": "m"}, {}, {}).model == "m"
    with pytest.raises(ClientError, match="'model'"):
        _ = Admitted(b"", {"model": model}, {}, {}).model


def test_a_field_that_is_set_is_counted_where_it_stood_with_another_value() -> None:
    read = {"a": 1}
    same = Admitted(b'{"a": 1}', read, read, {})
    assert same.with_field("a", 1) is same
    assert same.with_field("a", 2).body == b'{"a":2}'
    assert same.with_field("a", 2).changed == {"a": 1}
    assert same.with_field("b", 2).body == b'{"a":1,"b":2}'
    assert same.with_field("b", 2).changed == {}


def test_a_check_sees_the_body_as_it_came_and_before_the_gate() -> None:
    seen: list[dict[str, Any]] = []
    terms = Terms((), repeatable=False, check=seen.append)
    assert admit(b'{"model":"m","seed":1}', GATE, terms).body == b'{"model":"m"}'
    assert seen == [{"model": "m", "seed": 1}]
    with pytest.raises(ClientError, match="unheard_of"):
        admit(b'{"unheard_of":1}', GATE, terms)
    assert seen[1:] == [{"unheard_of": 1}]
