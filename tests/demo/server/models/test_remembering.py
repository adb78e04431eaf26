from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from extproc.demo.server.models.embedder import Embedded
from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.remembering import Remembering

TEXTS = ["A man is eating food.", "The girl is carrying a baby.", "A man is eating food."]


@dataclass(frozen=True)
class Counted:
    """Tells what it was asked."""

    model: MiniLm
    asked: list[str] = field(default_factory=list)
    name: str = "counted"
    dimensions: int = 384

    def embed(self, texts: Sequence[str]) -> Embedded:
        self.asked.extend(texts)
        return self.model.embed(texts)


def test_it_answers_what_the_model_answers(minilm: MiniLm) -> None:
    remembering = Remembering(minilm, 10)
    assert (remembering.name, remembering.dimensions) == ("minilm", 384)
    expected = minilm.embed(TEXTS)
    for _ in range(2):
        embedded = remembering.embed(TEXTS)
        np.testing.assert_allclose(embedded.vectors, expected.vectors, atol=1e-6)
        assert embedded.tokens == expected.tokens


def test_the_model_is_asked_once_about_each_text(minilm: MiniLm) -> None:
    counted = Counted(minilm)
    remembering = Remembering(counted, 10)
    remembering.embed(TEXTS)
    remembering.embed([*TEXTS, "Rain."])
    assert counted.asked == [*TEXTS[:2], "Rain."]


def test_the_oldest_text_is_forgotten_first(minilm: MiniLm) -> None:
    counted = Counted(minilm)
    remembering = Remembering(counted, 2)
    remembering.embed(["one", "two", "three"])
    remembering.embed(["three", "two", "one"])
    assert counted.asked == ["one", "two", "three", "one"]
    assert list(remembering._known) == ["three", "one"]
