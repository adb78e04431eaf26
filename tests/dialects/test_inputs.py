"""Inputs: none goes uncounted."""

from typing import Any

import pytest

from extproc.canonical import digest
from extproc.dialects.inputs import Pairs, some, texts_or_tokens
from extproc.errors import ClientError


@pytest.mark.parametrize(
    ("value", "inputs"),
    [("a", ["a"]), (["a", "b"], ["a", "b"]), ([1, 2], [[1, 2]]), ([[1], [2]], [[1], [2]])],
)
def test_a_text_and_an_array_of_tokens_are_one_input_and_arrays_of_them_many(
    value: Any, inputs: list[Any]
) -> None:
    assert texts_or_tokens(value, "inputs") == inputs


@pytest.mark.parametrize("value", [None, 1, True, {}, [], [[]], [1, "a"], [True], [["a"]], [0.5]])
def test_what_servers_count_in_different_ways_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ClientError, match="'inputs'"):
        texts_or_tokens(value, "inputs")


def test_an_array_of_some_types_is_not_empty_and_holds_no_other() -> None:
    assert some(["a", {}], "texts", str, dict) == ["a", {}]
    wrongs: list[Any] = [None, "a", {}, [], [1], ["a", None], [["a"]]]
    for wrong in wrongs:
        with pytest.raises(ClientError, match="'texts' must be a non-empty array"):
            some(wrong, "texts", str, dict)


def test_every_pair_is_an_input_of_its_own_and_the_same_in_other_clothes() -> None:
    pairs, variants = Pairs("What is it?", ["a", "b"]), Pairs("  WHAT is it", ["A!", "b"])
    assert len(pairs) == 2
    assert list(map(digest, pairs)) == list(map(digest, variants))
    assert len(set(map(digest, [*pairs, *Pairs("other", ["a", "b"])]))) == 4


def test_what_stands_once_is_read_with_each_of_the_others() -> None:
    assert Pairs("four", ["a"]).again == 0
    assert Pairs("four", ["a", "b", "c"]).again == 2 * len('"four"')
    assert Pairs({"text": "a"}, ["a", "b"]).again == len('{"text":"a"}')
