"""Law: where a domain passes a document, everything of its types in it is inside."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import ClientError
from extproc.validation.domain import Domain, found

SECRET = "s3cret"


def refusal(domain: Domain, value: Any) -> str | None:
    try:
        domain.check(value, "age")
    except ClientError as error:
        assert SECRET not in error.refusal.message  # noqa: PT017 - of every refusal here
        return error.refusal.message
    return None


@pytest.mark.parametrize(
    ("domain", "value", "told"),
    [
        (Domain(min=0), 0, None),
        (Domain(min=0), None, None),
        (Domain(min=0), -1, "'age' must be at least 0."),
        (Domain(min=0, max=9), [[1, 2], [9.5]], "'age' must be at most 9."),
        (Domain(min=0), "7", "'age' must be number."),
        (Domain(min=0), True, "'age' must be number."),
        (Domain(min=0), [1, None], "'age' must be number."),
        (Domain(min=0), {"a": SECRET, "b": True, "c": 1}, None),
        (Domain(min=0), [{"a": [{"b": -1}]}], "'age' must be at least 0."),
        (Domain(values=("a", 1, True)), ["a", 1, True], None),
        (Domain(values=("a", 1)), 1.0, None),
        (Domain(values=(1,)), True, "'age' must be number."),
        (Domain(values=(1, False)), True, "'age' must be one of 2 known values."),
        (Domain(values=("a",)), SECRET, "'age' must be one of 1 known values."),
        (Domain(values=("a",), max=3), 4, "'age' must be one of 1 known values."),
        (Domain(min_length=2), "a", "'age' must have at least 2 characters."),
        (Domain(max_length=5), SECRET, "'age' must have at most 5 characters."),
        (Domain(max_length=9), [1, 2], "'age' must be text."),
        (Domain(characters="line"), "a\u200b", "'age' holds a character that is none of 'line'."),
        (
            Domain(characters="text"),
            {"a\u200b": 1},
            "'age' holds a character that is none of 'text'.",
        ),
        (Domain(scripts=("latin",)), "д", "'age' holds a letter of another script."),
        (Domain(scripts=("latin",)), SECRET, None),
        (Domain(min=0, max_length=9), [1, "a"], None),
        (Domain(min=0, max_length=9), [True], "'age' must be number or text."),
        (Domain(), [True, None, {"a": SECRET}], None),
        (Domain(min=0), [], None),
    ],
)
def test_what_is_outside_is_refused_by_place_and_bound(
    domain: Domain, value: Any, told: str | None
) -> None:
    assert refusal(domain, value) == told


documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("ab\u200b", max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab", max_size=2), inner, max_size=3)
    ),
    max_leaves=10,
)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in (*value, *value.values()) for leaf in leaves(each)]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]


@given(documents)
def test_nothing_outside_passes_at_any_depth(document: Any) -> None:
    if refusal(Domain(min=0, max=5, characters="text"), document) is None:
        for leaf in leaves(document):
            assert type(leaf) is not int or 0 <= leaf <= 5
            assert type(leaf) is not str or "\u200b" not in leaf


def test_no_nesting_exhausts_the_stack() -> None:
    document: Any = [-1]
    for _ in range(100_000):
        document = [document]
    assert refusal(Domain(min=0), document) == "'age' must be at least 0."
    assert found(document, ["a"]) == []
    while document != [-1]:
        document = document[0]


def test_a_path_steps_into_arrays() -> None:
    document = {"a": [{"b": 1}, [{"b": 2}], {"c": 3}, 4, "b"], "b": 9}
    assert found(document, ["a", "b"]) == [1, 2]
    assert found(document, ["b"]) == [9]
    assert found(document, ["b", "c"]) == []
    assert found(document, ["x"]) == []
