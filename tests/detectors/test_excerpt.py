import itertools
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.canonical import Shared
from extproc.detectors.excerpt import MOST, NOTHING, UNREADABLE, sample
from extproc.detectors.observation import EXCERPT, SAMPLE
from extproc.detectors.subject_matter import subject_matter
from extproc.dialects.batch import Later
from extproc.dialects.inputs import Pairs

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(st.lists(JSON, max_size=5))
@settings(max_examples=20)
def test_small_inputs_are_kept_as_they_are(inputs: list[Any]) -> None:
    assert list(sample(inputs).inputs) == inputs


def test_nothing_is_kept_of_no_inputs() -> None:
    assert sample(()) == NOTHING


def test_many_inputs_are_sampled_evenly() -> None:
    found = sample(range(1000)).inputs
    assert len(found) <= SAMPLE
    assert len({b - a for a, b in itertools.pairwise(found)}) == 1
    assert found[-1] > 1000 - 2 * 1000 / len(found)


def test_of_a_long_text_both_ends_are_kept() -> None:
    (found,) = sample(["a" * 5000 + "b" * 5000]).inputs
    assert len(found) == EXCERPT
    assert found.startswith("a")
    assert found.endswith("b" * (EXCERPT // 2))


def test_of_a_conversation_the_end_is_kept_in_its_order() -> None:
    padding = [{"role": "system", "content": "x" * EXCERPT}] * 3
    (found,) = sample([[*padding, {"role": "a", "content": "why"}]]).inputs
    assert found[-1] == {"role": "a", "content": "why"}
    assert found[0]["role"] == "system"
    assert len(found) < 4


def test_of_an_array_so_many_numbers_are_kept() -> None:
    (found,) = sample([[1.5] * 10_000]).inputs
    assert found == [1.5] * EXCERPT


def test_of_raw_numbers_as_many_are_kept() -> None:
    (found,) = sample([b"12345678" * 10_000]).inputs
    assert found == b"12345678" * EXCERPT


def test_rows_are_looked_into_until_enough_is_kept() -> None:
    (found,) = sample([[[0.5] * 100] * 1000]).inputs
    assert sum(map(len, found)) == EXCERPT


def test_what_inputs_share_is_kept_as_it_is() -> None:
    assert sample(Pairs("question", ["a", "b"])).inputs == (["question", "a"], ["question", "b"])
    assert sample([Shared("question")]).inputs == ("question",)


def test_rows_are_made_once() -> None:
    made: list[int] = []

    def rows() -> list[int]:
        made.append(1)
        return list(range(500))

    assert len(sample(Later(500, rows)).inputs) > 32
    assert made == [1]


def test_a_name_is_no_way_to_more() -> None:
    (found,) = sample([{"n" * 10_000: "value", "other": 1}]).inputs
    assert list(found) == ["n" * EXCERPT]


@pytest.mark.parametrize(
    "inputs",
    [
        [[0.5] * EXCERPT] * 100,
        ["x" * 5000] * 100,
        [[["x"] * 200] * 200] * 100,
        [[{"role": "user", "content": "x" * 200}] * 500] * 64,
        [{"k" * 4000: [{}] * 100}] * 64,
    ],
)
def test_what_is_kept_is_bounded_and_said(inputs: list[Any]) -> None:
    found = sample(inputs)
    assert 0 < found.size <= MOST + EXCERPT * 128
    assert _size(found.inputs) <= found.size + 8192


def test_what_cannot_be_read_is_nothing_and_said() -> None:
    def broken() -> list[Any]:
        raise RuntimeError("planted")

    assert sample(Later(3, broken)) == UNREADABLE
    nested: list[Any] = []
    for _ in range(10_000):
        nested = [nested]
    assert sample([nested]).size <= MOST + EXCERPT * 128


@pytest.mark.parametrize(
    ("about", "said"),
    [
        (("rules " * 1000, [{"role": "user", "content": "hi"}]), "hi"),
        (("rules " * 1000, "hi", None, None), "hi"),
        ((None, [{"role": "user", "parts": [{"text": "hi"}]}]), "hi"),
    ],
)
def test_long_instructions_do_not_hide_what_they_are_for(about: Any, said: str) -> None:
    [kept] = sample([about]).inputs
    assert subject_matter(kept) == said


def test_of_instructions_nothing_is_kept_and_of_what_follows_no_more_than_of_any_input() -> None:
    about = ("rules " * 100_000, *(["x" * 1000, 1] for _ in range(1000)))
    [kept] = sample([about]).inputs
    assert kept[0] is None
    assert _size(kept) < EXCERPT + 1024


def test_of_a_conversation_behind_instructions_the_end_is_kept() -> None:
    turns = [{"role": "user", "content": f"turn {number} " + "x" * 400} for number in range(50)]
    [(_, kept)] = sample([("rules " * 1000, [*turns, {"role": "user", "content": "why"}])]).inputs
    assert kept[-1] == {"role": "user", "content": "why"}
    assert kept[-2]["content"].startswith("turn 49")
    assert len(kept) < 8


@pytest.mark.parametrize("before", range(EXCERPT - 4, EXCERPT + 1))
def test_of_a_text_no_more_is_kept_than_there_is_room_for(before: int) -> None:
    [found] = sample([{"n" * before: "a" * 5000 + "b" * 5000}]).inputs
    [*texts] = found.values()
    assert sum(map(len, texts)) == EXCERPT - before


def test_each_input_has_room_of_its_own_and_no_more() -> None:
    found = sample(["short", "x" * 5000, "y" * 5000]).inputs
    assert [len(each) for each in found] == [5, EXCERPT, EXCERPT]


def test_what_holds_nothing_is_bounded_too_and_there_is_an_end_to_looking() -> None:
    found = sample([[{}] * 100_000, *["later"] * 63]).inputs
    assert len(found) == 1
    assert 1000 < len(found[0]) < 2048


def test_of_what_ends_as_a_conversation_the_end_is_kept() -> None:
    [found] = sample([["x" * 5000, {"role": "user", "content": "why"}]]).inputs
    assert found[-1] == {"role": "user", "content": "why"}


def _size(value: Any) -> int:
    """Bytes; what stands there again counts again, but what all strings and numbers are of."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(name) + _size(item) for name, item in value.items()) + 64
    if isinstance(value, list | tuple):
        return 8 * len(value) + sum(map(_size, value)) + 16
    return sys.getsizeof(value) if isinstance(value, float) else 0


@pytest.mark.parametrize("first", [[0.5] * EXCERPT, [0.5]])
def test_where_little_is_kept_it_is_of_the_whole_batch(first: list[float]) -> None:
    batch = [first, *([float(number)] * EXCERPT for number in range(1, 64))]
    found = [each[0] for each in sample(batch).inputs]
    assert len(found) <= 20
    assert found == sorted(found)
    assert max(b - a for a, b in itertools.pairwise([*found, 64])) <= 8
