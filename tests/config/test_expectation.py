from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import inspect

from extproc.config.expectation import expected, fields, instead, names, one_of, wanted
from extproc.config.settings import Settings

DATA = {"routes": [{"dialect": "status"}, {"dialect": {"kind": "kserve_v2"}}, {"dialect": {}}]}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (str, "text"),
        (bool, "true or false"),
        (float, "a number"),
        (Annotated[float, msgspec.Meta(ge=0.5, le=500)], "a number from 0.5 to 500"),
        (Annotated[float, msgspec.Meta(ge=1e-6, le=1e6)], "a number from 1e-06 to 1000000"),
        (Annotated[float, msgspec.Meta(gt=0, lt=1)], "a number above 0 and below 1"),
        (Annotated[float, msgspec.Meta(gt=0, le=32)], "a number above 0 and at most 32"),
        (Annotated[float, msgspec.Meta(ge=0)], "a number of at least 0"),
        (dict[str, int], "a mapping"),
        (tuple[str, ...], "a list"),
        (Annotated[tuple[str, ...], msgspec.Meta(min_length=1)], "a list that is not empty"),
        (
            Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=9)],
            "a list of 1 to 9 items",
        ),
        (int, "a whole number"),
        (Annotated[int, msgspec.Meta(ge=0)], "a whole number of at least 0"),
        (Annotated[int, msgspec.Meta(ge=1, le=9)], "a whole number from 1 to 9"),
        (Literal["a"], "a"),
        (Literal["a", "b"], "one of a, b"),
        (Annotated[str, msgspec.Meta(pattern="x")] | None, "text or nothing"),
        (Annotated[str, msgspec.Meta(description="a word")], "a word"),
        (Annotated[str, msgspec.Meta(examples=["a"])], "text"),
    ],
)
def test_types_are_said_in_words(kind: object, words: str) -> None:
    assert wanted(inspect.type_info(kind)) == words


def test_the_data_says_which_of_several_types_is_meant() -> None:
    place = ("routes", 1, "dialect")
    kind = expected(place, DATA)
    assert list(fields(kind, {"kind": "kserve_v2"})) == [
        "kind",
        "allow_request",
        "allow_response",
        "unknown",
        "outputs",
        "teachers",
    ]
    assert list(fields(kind, {"kind": "status"})) == ["kind"]


def test_without_a_known_kind_a_mapping_has_no_other_field() -> None:
    place = ("routes", 2, "dialect")
    kind = expected(place, DATA)
    assert list(fields(kind, {})) == ["kind"]
    assert names(fields(kind, {})["kind"])[:2] == ["openai_chat", "openai_embeddings"]


def test_the_nearest_name_is_suggested_or_else_all() -> None:
    assert instead("quantise", ["round", "quantize"]) == "did you mean 'quantize'?"
    assert instead("x", ["round", "quantize"]) == "write one of round, quantize"
    assert instead("x", ["round"]) == "write round"
    assert instead("x", ["round"], "what is wanted") == "write what is wanted"
    assert instead("x", []) == "add it"


def test_a_long_list_of_names_is_cut() -> None:
    assert one_of(map(str, range(12))) == "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
    assert one_of(map(str, range(13))) == "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ..."


def _within(kind: inspect.Type) -> Iterator[inspect.Type]:
    """A type and all that it is made of."""
    yield kind
    match kind:
        case inspect.Metadata(type=inner) | inspect.VarTupleType(item_type=inner):
            yield from _within(inner)
        case inspect.UnionType(types=types):
            for each in types:
                yield from _within(each)
        case inspect.DictType(key_type=key, value_type=value):
            yield from _within(key)
            yield from _within(value)
        case inspect.StructType(fields=members):
            for field in members:
                yield from _within(field.type)
        case _:
            pass  # made of nothing else


def test_every_type_of_the_settings_has_words() -> None:
    kinds = list(_within(inspect.type_info(Settings)))
    assert len(kinds) > 100
    for kind in kinds:
        assert "None" not in wanted(kind)
