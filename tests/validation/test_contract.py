from typing import Any

import jsonschema_rs
import pytest

from extproc.dialects.batch import Input
from extproc.dialects.request import Asked
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.validation import Contract, Domain, Schema, Size, TensorDomain

CONTRACT = Contract(
    size=Size(depth=3),
    schema=Schema(jsonschema_rs.validator_for({"required": ["a"]}), "digest"),
    fields={"a": Domain(max=1), "b.c": Domain(max=1)},
)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"a": 1, "b": [{"c": 0}]}, None),
        ({"b": [[[]]]}, "'b[][]' is nested deeper than 3 levels."),
        ({"b": 1}, "the request breaks 'required' of this path's schema."),
        ({"a": 1, "b": [{"c": 2}]}, "'b.c' must be at most 1."),
    ],
)
def test_a_document_is_looked_at_for_size_then_schema_then_field_by_field(
    document: dict[str, Any], told: str | None
) -> None:
    if told is None:
        CONTRACT.check_document(document)
        return
    with pytest.raises(ClientError) as raised:
        CONTRACT.check_document(document)
    assert raised.value.refusal.message == told


def test_without_a_word_about_documents_none_is_looked_at() -> None:
    for silent in (Contract(), Contract(body=9, headers=9, batch=1, tensors={"x": TensorDomain()})):
        assert not silent.documents
        silent.check_document({"a": [[[[[]]]]]})
    for speaking in (CONTRACT, Contract(size=Size(array=9)), Contract(fields={"a": Domain()})):
        assert speaking.documents


def test_a_batch_is_as_large_as_the_route_says() -> None:
    asked = Asked(Query("m", 3), b"")
    Contract(batch=3).check(asked)
    Contract().check(asked)
    with pytest.raises(ClientError, match=r"^The request holds more than 2 inputs\.$"):
        Contract(batch=2).check(asked)


def test_tensors_are_looked_at_where_a_rule_names_some() -> None:
    asked = Asked(Query("m", 1), b"", tensors=[Input("x", "FP32", [1], [2.0])])
    Contract().check(asked)
    with pytest.raises(ClientError, match="'x' must be at most 1"):
        Contract(tensors={"x": TensorDomain(max=1)}).check(asked)


def test_header_fields_are_counted_by_name_and_value() -> None:
    headers = {"abc": "12345", "d": "6"}
    assert Contract().admits_headers(headers)
    assert Contract(headers=10).admits_headers(headers)
    assert not Contract(headers=9).admits_headers(headers)
