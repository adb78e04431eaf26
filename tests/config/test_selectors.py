import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.config.selectors import meet, selects

TEXTS = ["".join(text) for length in range(6) for text in product("ab", repeat=length)]
patterns = st.text("ab*", max_size=4)


@pytest.mark.parametrize(
    ("selector", "path", "expected"),
    [
        ("*", "/v1/x", True),
        ("POST /v1/embeddings", "/v1/embeddings", True),
        ("* /v1/embeddings", "/v1/embeddings", True),
        ("GET /v1/embeddings", "/v1/embeddings", False),
        ("POST /v1/embeddings", "/v1/{name}", True),
        ("POST /v1/embeddings", "/{any}/{name}", True),
        ("POST /v1/embeddings", "/v1/chat", False),
        ("POST /v2/models/*:predict", "/v2/models/{model}:predict", True),
        ("POST /v2/models/*:predict", "/v2/models/{model}:explain", False),
        ("POST *", "/v1/x", True),
        ("openai_chat", "/v1/x", True),
        ("openai_*", "/v1/x", True),
        ("cohere_*", "/v1/x", False),
    ],
)
def test_a_selector_speaks_of_every_route_that_can_be_asked_there(
    selector: str, path: str, *, expected: bool
) -> None:
    assert selects(selector, "POST", path, "openai_chat") is expected


@given(patterns, patterns)
def test_two_patterns_meet_where_some_text_fits_both(one: str, other: str) -> None:
    both = [re.compile(pattern.replace("*", ".*")) for pattern in (one, other)]
    # Of patterns so short a text of all their letters fits both if any does.
    fitting = any(all(each.fullmatch(text) for each in both) for text in _texts(one, other))
    assert meet(one, other) is fitting


def _texts(one: str, other: str) -> list[str]:
    letters = (one + other).replace("*", "")
    return [*TEXTS, one.replace("*", "") + other.replace("*", ""), letters]
