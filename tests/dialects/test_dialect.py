"""What every dialect is, and what those of JSON APIs have in common."""

from typing import get_args

import msgspec
import orjson
import pytest

from extproc.dialects import Dialect
from extproc.dialects.answers import Document
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.gate import PASS, Forced, Object, Terms
from extproc.dialects.request import Asked
from extproc.dialects.shape import Fields, Gate, Items, Keep, Node, Rewrite
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

BODY = b'{"model":"m","best_of":1}'


GATE = Object({"model": PASS, "echo": Forced(value=False)})


class Small(JsonDialect, frozen=True, tag="small"):
    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        return Asked(Query("m", 1), self.admit(body, GATE, terms).body)

    def tree(self) -> Node:
        return Fields({"id": Keep(), "data": Items(Gate("text", Fields({"index": Keep()})))})

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps(refusal.message)


def passing(dialect: Small, value: object) -> object:
    (answer,) = dialect.answers().values()
    assert isinstance(answer, Document)
    return answer.node.rewrite(value, Rewrite({"text": None}, "m"), "")


def test_its_answers_are_documents_of_its_tree() -> None:
    assert Small().answers() == {JSON: Document(Small().tree())}
    assert passing(Small(), {"id": 1, "extra": 2}) == {"id": 1}


def test_an_answers_field_passes_where_the_policy_names_it_by_its_path() -> None:
    allowing = Small(allow_response=("extra", "data.more"))
    value = {"extra": {"x": [1]}, "data": [{"index": 0, "more": "y"}]}
    assert passing(allowing, value) is value
    with pytest.raises(KeyError, match="id"):
        Small(allow_response=("id",)).answers()


def test_an_unknown_field_of_a_request_is_refused_stripped_or_let_on_as_the_policy_says() -> None:
    with pytest.raises(ClientError, match="best_of"):
        Small().read(BODY, {}, Terms(()))
    assert Small(unknown="strip").read(BODY, {}, Terms(())).body == b'{"model":"m"}'
    assert Small(allow_request=("best_of",)).read(BODY, {}, Terms(())).body is BODY


def test_the_route_says_what_happens_to_unknown_fields_whatever_the_terms_say() -> None:
    with pytest.raises(ClientError, match="best_of"):
        Small().read(BODY, {}, Terms((), unknown="strip"))


@pytest.mark.parametrize("kind", get_args(Dialect))
def test_every_dialect_says_where_it_listens_and_how_it_words_an_error(kind: type[Dialect]) -> None:
    assert kind.METHODS
    assert kind.MEDIA_TYPES
    assert all(name == name.lower() for name in (*kind.MEDIA_TYPES, *kind.HEADERS))
    assert set(kind.METHODS) <= {"GET", "POST", "PUT"}
    assert kind.__doc__
    assert kind.__doc__.endswith(".")


def test_a_field_of_the_configuration_that_is_not_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"kind": "small", "allow": []}, Small)


def test_a_dialect_that_says_nothing_of_its_answers_lets_nothing_pass() -> None:
    with pytest.raises(NotImplementedError):
        JsonDialect().answers()
