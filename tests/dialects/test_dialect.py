"""What every JSON API takes from its base: bounds on what a policy may add, and one answer."""

from typing import Any, get_args

import msgspec
import orjson
import pytest

from extproc.dialects import Dialect, Status
from extproc.dialects.answers import Document
from extproc.dialects.dialect import JSON, JsonDialect
from extproc.dialects.gate import PASS, Object, Repeatable, Terms
from extproc.dialects.shape import Fields, Items, Keep, Node, Opaque
from extproc.errors import ClientError
from tests.dialects.tiers import OPEN, served

_GATE = Object({"model": PASS, "seed": Repeatable()})
_TREE = Fields({"id": Keep(), "parts": Items(Fields({"text": Opaque("text")}))})


class Plain(JsonDialect, frozen=True, tag="plain"):
    def tree(self) -> Node:
        return _TREE


def test_an_answer_is_one_document_unless_the_dialect_says_more() -> None:
    assert Plain().answers() == {JSON: Document(_TREE)}


def test_what_the_policy_allows_passes_beside_the_tree() -> None:
    allowing = Plain(allow_response=("more", "parts.note"))
    document = orjson.dumps({"id": 1, "more": {"x": [1]}, "parts": [{"text": "a", "note": [2]}]})
    assert served(allowing.answer(), document, OPEN)[0] == orjson.loads(document)
    assert served(Plain().answer(), document, OPEN)[0] == {"id": 1, "parts": [{"text": "a"}]}
    assert allowing.answers() == {JSON: Document(allowing.answer())}


@pytest.mark.parametrize("path", ["id", "parts", "parts.text", "id.x", "no.x", "parts.text.x"])
def test_what_the_tree_decides_about_is_not_allowed_beside_it(path: str) -> None:
    with pytest.raises(KeyError):
        Plain(allow_response=(path,)).answer()


def test_unknown_fields_of_a_request_follow_the_route() -> None:
    asked = orjson.dumps({"model": "m", "x": 1})
    with pytest.raises(ClientError, match="'x'"):
        Plain().admit(asked, _GATE, Terms(()))
    stripped = Plain(unknown="strip").admit(asked, _GATE, Terms(()))
    assert orjson.loads(stripped.body) == {"model": "m"}
    assert stripped.changed == {"*": 1}
    named = Plain(allow_request=("x",)).admit(asked, _GATE, Terms(()))
    assert named.body is asked


def test_the_terms_of_the_tenant_hold_whatever_the_route_says_of_unknown_fields() -> None:
    asked = orjson.dumps({"model": "m", "seed": 1})
    for dialect in (Plain(), Plain(unknown="strip")):
        sent = dialect.admit(asked, _GATE, Terms((), unknown="strip", repeatable=False))
        assert orjson.loads(sent.body) == {"model": "m"}
    with pytest.raises(ClientError):
        Plain().admit(b'{"x":1}', _GATE, Terms((), unknown="strip"))


def test_a_dialect_says_what_stands_in_an_answer() -> None:
    with pytest.raises(NotImplementedError):
        JsonDialect().tree()


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_every_dialect_says_what_its_requests_may_have_beside_a_body(dialect: Any) -> None:
    assert dialect.METHODS
    assert dialect.MEDIA_TYPES
    assert all(name == name.lower() for name in (*dialect.HEADERS, *dialect.MEDIA_TYPES))
    # What a parameter's value may be is written out, in characters that stand for themselves.
    for name, values in dialect.QUERY.items():
        assert values
        for word in (name, *values):
            assert word.isascii()
            assert word.isalnum()


@pytest.mark.parametrize("dialect", [each for each in get_args(Dialect) if each is not Status])
def test_a_policy_writes_no_field_that_a_dialect_does_not_have(dialect: type[Any]) -> None:
    tag = dialect.__struct_config__.tag
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"kind": tag, "s3cret": 1}, dialect)
    assert msgspec.convert({"kind": tag, "unknown": "strip"}, dialect).unknown == "strip"
