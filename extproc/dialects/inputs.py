"""The inputs of a request, one for each prediction that answers it.

Rule: no input goes uncounted.  What model servers count in different ways is refused.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from extproc.canonical import Shared
from extproc.errors import ClientError

Json = Any
"""What orjson.loads returns."""


def texts_or_tokens(value: Json, name: str) -> list[Json]:
    """The inputs: a string or one array of token ids is one, an array of those is many.

    Items of two types are refused: how many inputs they make is each model server's own idea.
    """
    if isinstance(value, str) or _are(int, value):
        return [value]
    if _are(str, value) or (_are(list, value) and all(_are(int, item) for item in value)):
        return list(value)
    raise ClientError(f"{name!r} must be a string, an array of strings, or token ids.")


def _are(kind: type, value: Json) -> bool:
    """Whether it is an array of this type alone, and not empty."""
    return isinstance(value, list) and set(map(type, value)) == {kind}


def some(value: Json, name: str, *kinds: type) -> list[Json]:
    """A non-empty array of values of these types.  Raise ClientError where it is none."""
    if isinstance(value, list) and value and {type(item) for item in value} <= set(kinds):
        return value
    raise ClientError(f"{name!r} must be a non-empty array.")


class Pairs(Sequence[Any]):
    """One input with each of several, as rankings ask: a question, and a text after the other.

    The first may be long, and they many.
    """

    def __init__(self, first: Json, others: Sequence[Json]) -> None:
        self._first, self._others = Shared(first), others

    def __len__(self) -> int:
        return len(self._others)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [[self._first, other] for other in self._others[index]]
        return [self._first, self._others[index]]

    @property
    def again(self) -> int:
        """Octets that are read besides those of the body: the first stands there once, and is read
        with each of the others.
        """
        return len(orjson.dumps(self._first.value)) * (len(self) - 1)
