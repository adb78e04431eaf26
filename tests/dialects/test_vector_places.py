"""Where vectors stand is found in whatever an answer is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from extproc.dialects import KServeV2, KServeV2Grpc, OpenAIChat, OpenAIEmbeddings, TeiEmbedSparse
from extproc.dialects.answers import Document, Events
from extproc.dialects.cell import Cell, cell
from extproc.dialects.gathered import Gathered
from extproc.dialects.shape import Either, Fields, Gate, Items, Keep, Node
from extproc.dialects.vector_places import vector_places
from extproc.dialects.vectors import SPARSE, VECTOR


@dataclass
class Own:
    """A node that only its dialect knows."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()


class Undeclared:
    """One that is no dataclass."""

    def __init__(self, kinds: Any) -> None:
        self.kinds = kinds


@pytest.mark.parametrize(
    ("part", "places"),
    [
        (Keep(), []),
        (VECTOR, [False]),
        (SPARSE, [False]),
        (Gathered(VECTOR), [True]),
        (Document(Gathered(Items(Fields({"a": VECTOR, "embedding": Keep()})))), [True]),
        (Events(Fields({"a": VECTOR, "b": Gathered(VECTOR)})), [False, True]),
        (Gate("embedding", Keep()), []),
        (cell("embedding"), [False]),
        (Items(Cell("embedding"), each=True), [False]),
        (Either(Keep(), cell("embedding"), cell("embedding")), [False]),
        (Either(Keep(), Keep(), VECTOR), [False]),
        (Own({"v": "embedding", "embedding": "label"}), [False]),
        (Own(nodes=(VECTOR, Keep(), Gathered(VECTOR))), [False, True]),
        (Undeclared({"v": "embedding"}), [False]),
        (Undeclared([VECTOR]), [False]),
        (len, []),
    ],
)
def test_each_place_is_found(part: Any, places: list[bool]) -> None:
    assert vector_places(part) == places


def test_a_tree_that_holds_itself_ends() -> None:
    around: dict[str, Any] = {"v": VECTOR}
    around["again"] = Fields(around)
    assert vector_places(Fields(around)) == [False]


@pytest.mark.parametrize(
    ("dialect", "places"),
    [
        (OpenAIEmbeddings(), [True]),
        (OpenAIChat(), []),
        (TeiEmbedSparse(), [False]),
        (KServeV2(outputs={"v": "embedding", "p": "probabilities"}), [True]),
        (KServeV2(outputs={"p": "probabilities"}), []),
        (KServeV2Grpc(outputs={"v": "embedding"}), [True]),
    ],
)
def test_dialects_say_what_they_answer(dialect: Any, places: list[bool]) -> None:
    assert [*vector_places(next(iter(dialect.answers().values())))] == places
