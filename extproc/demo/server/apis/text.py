"""Tokens to text: what may be shown of a text so far, and where it stops.

Rule: no piece ends inside a character or inside what may become a stop string, so that the pieces
of a stream join to exactly the text of a document.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from extproc.demo.server.models.sampling import Sampled

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Text with the tokens that spell it; the last piece says why it is the last."""

    text: str
    tokens: Sequence[Sampled]
    finish: Finish | None = None


def pieces(
    sampled: Iterable[Sampled], *, spellings: Sequence[bytes], stops: Sequence[str], limit: int
) -> Iterator[Piece]:
    """Cut sampled tokens into pieces; ``limit`` is how many tokens the sampler may give.

    A stop string, and tokens that spell nothing but it or what follows, are in no piece.
    """
    shown = _Shown(stops)
    held: list[Sampled] = []
    count = 0
    for token in sampled:
        count += 1
        held.append(token)
        text = shown.feed(spellings[token.token])
        if shown.stopped:
            yield Piece(text, _spelled(text, held, spellings), "stop")
            return
        if text:
            yield Piece(text, held)
            held = []
    yield Piece(shown.finish(), held, "length" if count == limit else "stop")


class _Shown:
    """Holds back the text that cannot be shown yet."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stopped = False
        self._stops = stops
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, spelling: bytes) -> str:
        """The text this token lets go."""
        text = self._held + self._decoder.decode(spelling)
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.stopped = True
            return text[: min(found)]
        return self._split(text)

    def finish(self) -> str:
        return self._held + self._decoder.decode(b"", final=True)

    def _split(self, text: str) -> str:
        begun = max((_begun(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - begun :]
        return text[: len(text) - begun]


def _begun(text: str, stop: str) -> int:
    """How many last characters of the text are the first of the stop string."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)


def _spelled(text: str, held: Sequence[Sampled], spellings: Sequence[bytes]) -> Sequence[Sampled]:
    """The first of the held tokens, as far as they begin within the text."""
    end, begin, kept = len(text.encode()), 0, []
    for token in held:
        if begin >= end:
            break
        kept.append(token)
        begin += len(spellings[token.token])
    return kept
