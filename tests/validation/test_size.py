"""Law: what passes is within every bound, and what is within them passes, however it is nested."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import ClientError
from extproc.validation.size import Size

documents = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
bounds = st.one_of(st.none(), st.integers(1, 4))


def measured(value: Any) -> tuple[int, int, int]:
    """Depth, widest and longest, by recursion."""
    if isinstance(value, str):
        return 0, 0, len(value)
    if not isinstance(value, (list, dict)):
        return 0, 0, 0
    members = [*value, *value.values()] if isinstance(value, dict) else value
    inner = [measured(each) for each in members]
    depth = 1 + max((each[0] for each in inner), default=0)
    width = max([len(value), *(each[1] for each in inner)])
    return depth, width, max((each[2] for each in inner), default=0)


@given(
    st.one_of(st.lists(documents), st.dictionaries(st.text(), documents)), bounds, bounds, bounds
)
def test_exactly_what_is_within_the_bounds_passes(
    document: Any, depth: int | None, array: int | None, string: int | None
) -> None:
    within = all(
        most is None or found <= most
        for found, most in zip(measured(document), (depth, array, string), strict=True)
    )
    try:
        Size(depth, array, string).check(document)
    except ClientError:
        assert not within
    else:
        assert within


@pytest.mark.parametrize(
    ("size", "document", "told"),
    [
        (Size(depth=2), {"a": {"b": [1]}}, "'a.b' is nested deeper than 2 levels."),
        (Size(array=2), {"a": [[], [1, 2, 3]]}, "'a[]' holds more than 2 items."),
        (Size(array=1), {"a": 1, "b": 2}, "the request holds more than 1 items."),
        (Size(string=3), {"a": [{"b": "s3cret"}]}, "'a[]' holds text longer than 3 characters."),
        (Size(string=3), {"s3cret": 1}, "the request holds text longer than 3 characters."),
    ],
)
def test_a_refusal_names_the_place_and_the_bound(size: Size, document: Any, told: str) -> None:
    with pytest.raises(ClientError) as raised:
        size.check(document)
    assert raised.value.refusal.message == told
    assert "s3cret" not in told


def test_objects_and_arrays_are_counted_in_all() -> None:
    document = {"a": [[], {}], "b": [[[]]]}
    Size(count=7).check(document)
    with pytest.raises(ClientError, match=r"^The request holds more than 6 objects and arrays\.$"):
        Size(count=6).check(document)


def test_no_nesting_exhausts_the_stack() -> None:
    document: Any = []
    for _ in range(100_000):
        document = [document]
    with pytest.raises(ClientError):
        Size(depth=50_000, count=1_000_000).check(document)
    Size(depth=200_000, array=1, count=1_000_000).check(document)
    while document:  # taken apart by hand: Python frees nested lists one in the other
        document = document[0]
