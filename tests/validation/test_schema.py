import jsonschema_rs
import pytest

from extproc.errors import ClientError
from extproc.validation.schema import Schema

SCHEMA = Schema(
    jsonschema_rs.validator_for(
        {
            "type": "object",
            "properties": {
                "rows": {"type": "array", "items": {"maxItems": 2}},
                "name": {"const": "a"},
                "sub": {"additionalProperties": False},
            },
            "required": ["rows"],
        }
    ),
    "digest",
)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"rows": [[], [1, 2, 3]]}, "'rows[1]' breaks 'maxItems 2' of this path's schema."),
        ({"rows": [], "name": "s3cret"}, "'name' breaks 'const' of this path's schema."),
        (
            {"rows": [], "sub": {"s3cret": 1}},
            "'sub' breaks 'additionalProperties' of this path's schema.",
        ),
        ({}, "the request breaks 'required' of this path's schema."),
    ],
)
def test_a_mistake_is_told_by_its_place_and_keyword(document: object, told: str) -> None:
    with pytest.raises(ClientError) as raised:
        SCHEMA.check(document)
    assert raised.value.refusal.message == told


def test_a_schema_that_refuses_everything_refuses_everything() -> None:
    with pytest.raises(ClientError, match="the request breaks 'false'"):
        Schema(jsonschema_rs.validator_for(False), "digest").check({})


def test_what_is_valid_passes() -> None:
    SCHEMA.check({"rows": [[1]], "name": "a"})
