"""What an input is about: see extproc/detectors/subject_matter.py."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.canonical import Shared
from extproc.detectors.observation import EXCERPT
from extproc.detectors.subject_matter import subject_matter

_CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": [{"type": "text", "text": "second"}, {"type": "image_url"}]},
    {"role": "assistant", "content": "no"},
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=20)
    | st.just(10**400)
)
NAMES = st.sampled_from(["role", "content", "parts", "text", "type", "a"]) | st.text(max_size=3)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(NAMES, inner, max_size=5)
        | st.tuples(inner, inner)
        | st.builds(Shared, inner)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("hi", "hi"),
        ("x" * 5000, "x" * EXCERPT),
        (_CHAT, "second"),
        (_CHAT[:1], "Be brief."),
        (("Be brief.", _CHAT), "second"),
        (["Be brief.", _CHAT], "second"),
        ([None, "hi"], "hi"),
        ((None, "hi", None, None), "hi"),
        (("You are a poet.", "hi", None, None), "hi"),
        (("Be brief.", [{"role": "user", "parts": [{"text": "one"}, {"text": "two"}]}]), "one two"),
        ({"parts": [{"text": "one"}]}, "one"),
        ([Shared("question"), "text"], "question text"),
        ({"review": "good", "": Shared({})}, "good"),
        ([["text_input", ["one", "two"]]], "one two"),
        ({"id": 7, "review": "so good that I would buy it again any time"}, None),
    ],
)
def test_of_texts_it_is_what_is_asked(value: Any, text: str | None) -> None:
    assert subject_matter(value) == (text or value["review"])


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (1.5, [1.5]),
        ([1, 2.5], [1, 2.5]),
        ([[1, 2], [3, 4]], [1, 2, 3, 4]),
        ({"b": 2, "a": 1, "c": "3.5", "": Shared({"d": 4})}, [4, 1, 2, 3.5]),
        ({"features": [1.5, 2]}, [1.5, 2]),
        ([["image", np.array([0.5, 0.25]).tobytes()]], [0.5, 0.25]),
        ([["a", np.array([1.0]).tobytes()], ["b", [2.0]]], [1, 2]),
        ([1.0, float("nan"), float("inf"), -1e300], [1, 0, 1e30, -1e30]),
        ([1, [2], 10**400], [1, 2]),
    ],
)
def test_of_numbers_it_is_their_row(value: Any, numbers: list[float]) -> None:
    found = subject_matter(value)
    assert isinstance(found, np.ndarray)
    assert found.tolist() == numbers


def test_categories_beside_numbers_are_numbers_of_their_own() -> None:
    red, green = subject_matter([1, "red", 2]), subject_matter([1, "green", 2])
    assert isinstance(red, np.ndarray)
    assert isinstance(green, np.ndarray)
    assert red[[0, 2]].tolist() == green[[0, 2]].tolist() == [1, 2]
    assert 0 <= red[1] < 1
    assert red[1] != green[1]


@pytest.mark.parametrize("value", [b"RIFF", None, True, [], {}, [[]], [10**400], [["a", b"short"]]])
def test_of_what_is_neither_there_is_none(value: Any) -> None:
    assert subject_matter(value) is None


def test_of_too_many_numbers_those_evenly_spread_are_taken() -> None:
    found = subject_matter(list(range(10_000)))
    assert isinstance(found, np.ndarray)
    assert len(found) == EXCERPT - 48
    assert found.tolist() == list(range(0, 10_000, 5))


@given(JSON)
@settings(max_examples=60)
def test_nothing_makes_it_raise(value: Any) -> None:
    found = subject_matter(value)
    if isinstance(found, np.ndarray):
        assert 0 < len(found) <= EXCERPT
        assert np.isfinite(found).all()
    else:
        assert found is None or len(found) <= EXCERPT


def test_neither_depth_nor_breadth_makes_it_much_work() -> None:
    deep: Any = "text"
    for _ in range(100_000):
        deep = [deep]
    assert subject_matter(deep) is None
    broad = [["a", 1] for _ in range(50_000)]
    found = subject_matter(broad)
    assert isinstance(found, np.ndarray)
    assert len(found) <= EXCERPT
