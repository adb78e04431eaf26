"""A sample of a request's inputs, each cut to an excerpt: what detection keeps of a body.

Rule: bounded in what is kept and in the work of keeping it, whatever the body is, since it is taken
on the request's path.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct

from extproc.canonical import Shared
from extproc.detectors.observation import EXCERPT, SAMPLE

MOST: Final = 1 << 20
"""Bytes of one exchange, about: of long inputs fewer are kept."""
_PARTS: Final = 1024
"""Arrays, objects and texts of one exchange that are looked into."""
_CHARACTER: Final = 4
_NUMBER: Final = 32
_PART: Final = 96
_OCTETS: Final = 8
"""Of raw bytes, which count as a number."""
_Kept = TypeVar("_Kept", bound=Sequence[Any])
_SCALARS: Final = frozenset({int, float, bool, type(None)})


class Sample(Struct, frozen=True, gc=False):
    inputs: Sequence[Any] = ()
    size: int = 0
    """Bytes that it takes, about."""
    readable: bool = True
    """Whether there would be more, if nothing had gone wrong."""


_SPREAD: Final = sorted(range(SAMPLE), key=lambda place: f"{place:06b}"[::-1])
"""Wherever one stops in it, what was passed is evenly spread (van der Corput, 1935)."""
NOTHING: Final = Sample()
UNREADABLE: Final = Sample(readable=False)


def sample(inputs: Sequence[Any]) -> Sample:
    """Of inputs as a dialect read them: evenly spread, and no more than fit.  Never raises: on the
    request's path nothing hangs on it.
    """
    try:
        return _sample(inputs)
    except Exception:  # noqa: BLE001 - whatever it is, the request goes on
        return UNREADABLE


def _sample(inputs: Sequence[Any]) -> Sample:
    step = -(-len(inputs) // SAMPLE)
    picked = inputs[::step] if step else ()
    cut = _Cut()
    found: dict[int, Any] = {}
    for place in _SPREAD:
        if place < len(picked) and cut.size < MOST and cut.parts:
            found[place] = cut.input(picked[place])
    return Sample(tuple(found[place] for place in sorted(found)), cut.size)


class _Cut:
    """Of one input after the other: what is left to be kept."""

    def __init__(self) -> None:
        self.size = 0
        self.parts = _PARTS
        self._left = 0
        """Characters and numbers of this input."""

    def input(self, value: Any) -> Any:
        self._left = EXCERPT
        return self._of(value)

    def _of(self, value: Any) -> Any:
        self.parts = max(0, self.parts - 1)
        self.size += _PART
        match value:
            case Shared():
                return self._of(value.value)
            case str():
                return self._keep(_ends(value, self._left), 1, _CHARACTER)
            case bytes():
                return self._keep(value[: self._left * _OCTETS], _OCTETS, 1)
            case dict():
                items = self._some(value.items())
                return {self._name(name): self._of(item) for name, item in items}
            case list() | tuple():
                return self._array(value)
            case _:
                self._left -= 1
                return value

    def _array(self, value: Sequence[Any]) -> Sequence[Any]:
        some = value[: self._left]
        if set(map(type, some)) <= _SCALARS:
            return self._keep(some, 1, _NUMBER)
        if isinstance(value, tuple) and len(value) > 1:  # instructions do not hide what follows
            return (None, *map(self._of, self._some(value[1:])))
        if isinstance(value[-1], dict):  # a conversation: what is asked stands at its end
            return [self._of(item) for item in self._some(reversed(value))][::-1]
        return [self._of(item) for item in self._some(some)]

    def _name(self, name: str) -> str:
        return self._keep(name[: self._left], 1, _CHARACTER)

    def _keep(self, kept: _Kept, many: int, size: int) -> _Kept:
        """So many octets are of one number."""
        self._left -= len(kept) // many
        self.size += size * len(kept)
        return kept

    def _some(self, items: Iterable[Any]) -> Iterator[Any]:
        """Until there is nothing left to be kept."""
        for item in items:
            if self._left <= 0 or not self.parts:
                return
            yield item


def _ends(text: str, most: int) -> str:
    """What a long text begins with and what it ends with: neither hides it behind the other."""
    if len(text) <= most:
        return text
    half = most // 2
    return text[: most - half] + text[len(text) - half :]
