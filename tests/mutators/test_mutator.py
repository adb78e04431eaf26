"""The sorts of mutators: what a class of each is, and that every class is one of them."""

from typing import ClassVar, get_args

import msgspec
import pytest

from extproc.mutators import Mutator
from extproc.mutators.mutator import Keyed, Plain, Private, Whole
from extproc.prediction import KINDS, Kind
from tests.mutators.test_mutators import ALL


class Marked(Plain, frozen=True, tag="marked"):
    KINDS: ClassVar[frozenset[Kind]] = frozenset({"score"})

    by: int


class Drawn(Keyed, frozen=True, tag="drawn"):
    KINDS: ClassVar[frozenset[Kind]] = frozenset({"score"})


def test_the_class_is_its_configuration() -> None:
    read = msgspec.json.decode(
        b'[{"kind":"marked","by":3},{"kind":"drawn"}]', type=list[Marked | Drawn]
    )
    assert read == [Marked(by=3), Drawn()]
    assert msgspec.json.encode(read[0]) == b'{"kind":"marked","by":3}'


@pytest.mark.parametrize("text", [b'{"kind":"marked","by":3,"to":4}', b'{"kind":"drawn","k":1}'])
def test_a_field_that_is_not_its_own_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(text, type=Marked | Drawn)


def test_it_cannot_be_changed_and_equals_what_is_written_alike() -> None:
    with pytest.raises(AttributeError):
        Marked(by=3).by = 4  # type: ignore[misc]
    assert {Marked(by=3), Marked(by=3), Marked(by=4)} == {Marked(by=3), Marked(by=4)}


@pytest.mark.parametrize("kind", get_args(Mutator))
def test_every_mutator_is_of_one_sort_and_says_what_it_understands(kind: type[Mutator]) -> None:
    assert [issubclass(kind, sort) for sort in (Plain, Keyed, Whole)].count(True) == 1
    assert kind.KINDS
    assert set(KINDS) >= kind.KINDS
    assert callable(kind.apply_all if issubclass(kind, Whole) else kind.apply)
    assert callable(kind.limit)


@pytest.mark.parametrize("mutator", [each for each in ALL if isinstance(each, Private)])
def test_a_private_mutator_says_what_an_answer_costs(mutator: Private) -> None:
    assert mutator.cost().gdp > 0


def test_one_that_does_not_say_so_answers_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Private().cost()
