"""What an adapter is."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from extproc.redteam.answers import Answers, Floats, Vectors
from extproc.redteam.request import Reply, Request


class ClassifierAdapter(Protocol):
    def request(self, inputs: Floats, key: int) -> Request:
        """Ask about inputs [B, d] in one request."""
        ...

    def read(self, reply: Reply, count: int) -> Answers:
        """Of ``count`` inputs; not served where the reply cannot be read."""
        ...


class EmbeddingAdapter(Protocol):
    def request(self, texts: Sequence[str], key: int) -> Request: ...

    def read(self, reply: Reply, count: int) -> Vectors: ...


@runtime_checkable
class Narrow(Protocol):
    """An adapter of an API that takes few inputs in one request."""

    @property
    def most(self) -> int: ...
