"""What Cohere's APIs say of themselves: the version to everybody, what was billed to some."""

from typing import Any

import orjson

from extproc.dialects.cohere import META, USAGE, cohere_error
from extproc.refusal import RATE_LIMITED
from tests.dialects.tiers import OPEN, leaves, served

BILLED = {"input_tokens": 1, "output_tokens": 2, "search_units": 1, "secret": 3}
WHOLE: dict[str, Any] = {
    "api_version": {"version": "2", "is_experimental": True},
    "billed_units": BILLED,
    "tokens": {"input_tokens": 7},
    "cached_tokens": 5,
    "warnings": ["deprecated"],
}
VERSION = {"api_version.version"}
COUNTS = {f"billed_units.{name}" for name in BILLED if name != "secret"} | {"tokens.input_tokens"}


def test_what_was_billed_is_usage_and_what_was_cached_its_detail() -> None:
    document = orjson.dumps(WHOLE)
    assert set(leaves(served(META, document, {})[0])) == VERSION
    assert set(leaves(served(META, document, {"usage": None})[0])) == VERSION | COUNTS
    assert set(leaves(served(META, document, OPEN)[0])) == VERSION | COUNTS | {"cached_tokens"}
    assert set(leaves(served(USAGE, document, {"usage": None})[0])) == COUNTS
    assert set(leaves(served(USAGE, document, OPEN)[0])) == COUNTS | {"cached_tokens"}


def test_an_error_is_a_message() -> None:
    assert orjson.loads(cohere_error(RATE_LIMITED)) == {"message": "Too many requests."}
