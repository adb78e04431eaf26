"""What an answer has told of itself so far: its token counts, and how many bits of its model.

Rule: what is counted is what passes, where it is edited or let through; what is dropped counts
nothing.  A prediction counts by its size before the tier's mutators, and by what those let through.
Of a text each octet counts, and its end, so that no two runs of texts are written alike; of labels
and of what nobody declared each scalar does.  Counts of tokens, durations, names of snapshots, and
structure (ids, indices, reasons) are no predictions, and count nothing: see docs/bits.md.

Source: Kraft, "A Device for Quantizing, Grouping, and Coding Amplitude-Modulated Pulses", 1949.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

import numpy as np
import orjson

from extproc.dialects.noticed import Noticed
from extproc.dialects.paid import Paid
from extproc.errors import UpstreamError
from extproc.marks.marking import Marking
from extproc.prediction import Kind, Logprobs, Matrix, Prediction, Score, Tokens, Usage

STRUCTURE: Final = frozenset(
    {
        *("id", "type", "object", "status", "role", "obfuscation"),
        *("call_id", "item_id", "tool_use_id"),
        *("index", "output_index", "content_index", "summary_index", "sequence_number"),
    }
)
"""Fields that stand beside what a model says, in parts of a tree that hold nothing else."""
_WRITTEN: Final = frozenset[Kind]({"text", "reasoning"})
_WHOLE: Final = frozenset[Kind]({*_WRITTEN, "label", "tensor"})
"""Kinds that no mutator reads: all scalars in a part of the tree that is theirs are predictions."""
_STEP: Final = 1024
_Edit = Callable[[Prediction], Prediction | None]
_Rows = Callable[[Matrix], Matrix]
_Tokens = Callable[[Tokens], Tokens]
_NOTHING: Final = Usage()


class Measure(Protocol):
    """What predictions of a run tell at most."""

    @property
    def classes(self) -> int:
        """How many classes a model knows, as the route declares; 0 where it does not."""
        ...

    def __call__(self, kind: Kind, size: int) -> float:
        """Bits of one prediction of so many classes, dimensions, alternatives or numbers: a
        multiple of 2**-10, so that no sum depends on its order.
        """
        ...


def rounded_up(bits: float) -> float:
    """The next multiple of 2**-10."""
    return math.ceil(bits * _STEP) / _STEP if math.isfinite(bits) else bits


@dataclass(slots=True)
class Told:
    """Counted as it is rewritten, whether all of that is sent or not."""

    usage: Usage = _NOTHING
    """Whether that passes or not."""
    measure: Measure | None = None
    """None where bits are not counted."""
    bits: dict[Kind, float] = field(default_factory=dict)
    """By kind, but for texts."""
    octets: dict[Kind, int] = field(default_factory=dict)
    """Of what was written that passed, by kind; each text with one more for its end."""
    within: Kind | None = None
    """The kind of all scalars in the part of the tree that is being walked."""
    noticed: Noticed | None = None
    """What detectors learn of it; None where nothing looks."""
    marking: Marking | None = None
    """Which of its predictions are marked; None where none is."""
    names: Sequence[Sequence[Any]] = ()
    """For each class of the next prediction what it is called; empty where its place tells."""
    paid: Paid | None = None
    """What may be answered privately; None where nobody counts that."""

    @property
    def kept(self) -> int:
        """Octets of inputs, until they have been answered."""
        return self.marking.size if self.marking is not None else 0

    @property
    def alike(self) -> bool:
        """See Marking."""
        return self.marking is not None and self.marking.alike

    def forget(self) -> None:
        """Let go of inputs that were not answered."""
        if self.marking is not None:
            self.marking.forget()

    def count(self, kind: Kind, size: int, times: int = 1) -> None:
        """So many predictions of one size pass."""
        measure, bits = self.measure, self.bits
        if measure is not None and times:
            bits[kind] = bits.get(kind, 0.0) + times * measure(kind, size)

    def edit(self, kind: Kind, edit: _Edit) -> _Edit:
        """The edit of one prediction, which counts unless it is dropped."""
        if self.measure is None and self.noticed is None:
            return edit
        return partial(self._edited, kind, edit)

    def rows(self, kind: Kind, edit: _Rows) -> _Rows:
        """The edit of many predictions, which all count."""
        if self.measure is None and self.noticed is None:
            return edit
        return partial(self._edited_rows, kind, edit)

    def tokens(self, edit: _Tokens) -> _Tokens:
        """The edit of many log probabilities, which all count."""
        return edit if self.measure is None else partial(self._edited_tokens, edit)

    def _edited(self, kind: Kind, edit: _Edit, prediction: Prediction) -> Prediction | None:
        self.notice(prediction)
        after = edit(prediction)
        if after is not None:
            self.count(kind, _size(prediction))
        return after

    def _edited_rows(self, kind: Kind, edit: _Rows, rows: Matrix) -> Matrix:
        self.pass_rows(kind, rows)
        return edit(rows)

    def notice(self, prediction: Prediction) -> None:
        """A prediction is there, whether any of it passes or not."""
        if self.noticed is not None:
            self.noticed.see(prediction)

    def pass_rows(self, kind: Kind, rows: Matrix) -> None:
        """Predictions of one size pass, a row each."""
        if self.noticed is not None:
            self.noticed.see_rows(kind, rows)
        self.count(kind, rows.shape[1], len(rows))

    def name(self, names: Sequence[Sequence[Any]]) -> None:
        """What the classes of the next prediction are called, whose numbers do not tell them."""
        self.names = names
        if self.noticed is not None:
            self.noticed.names = names

    def named(self) -> Sequence[Sequence[Any]]:
        """What they are called, of the prediction that is there now, and of no later one."""
        names, self.names = self.names, ()
        return names

    def _edited_tokens(self, edit: _Tokens, tokens: Tokens) -> Tokens:
        self.count_tokens(tokens.sizes)
        return edit(tokens)

    def count_tokens(self, sizes: Sequence[int] | np.ndarray[Any, np.dtype[np.intp]]) -> None:
        """Tokens with their log probabilities pass: of each, how many, with its alternatives."""
        if self.measure is not None and len(sizes):
            for size, times in enumerate(np.bincount(sizes).tolist()):
                if times:
                    self.count("logprobs", size - 1, times)

    def count_names(
        self, shown: int, of: int, *, scored: bool = True, kind: Kind = "label"
    ) -> None:
        """Of so many classes in the answer some are named, in an order that may be the server's.

        Where all classes are there, and their probabilities are counted (``scored``), it is that
        order alone that tells more than those.
        """
        if self.measure is None or not shown:
            return
        if not scored or of < self.measure.classes:
            told = shown * self.measure("label", of)
        else:
            told = rounded_up(math.lgamma(shown + 1) / math.log(2))
        self.bits[kind] = self.bits.get(kind, 0.0) + told

    def pass_whole(self, kind: Kind, value: Any) -> None:
        """A value of JSON passes that no mutator reads: a scalar, or whatever an object holds."""
        if self.measure is None or value is None or kind not in _WHOLE:
            return
        if kind in _WRITTEN:
            self.octets[kind] = self.octets.get(kind, 0) + _octets(value)
        elif kind == "label":
            self.count(kind, 1, _scalars(value))
        else:
            self.count(kind, _scalars(value, _words))

    def pass_inner(self, value: Any) -> None:
        """A value passes in the part of the tree that is walked."""
        if self.within is not None:
            self.pass_whole(self.within, value)

    def pass_member(self, name: str, value: Any) -> None:
        """So does a member of an object, unless it is structure."""
        if name not in STRUCTURE:
            self.pass_inner(value)

    def pass_octets(self, kind: Kind, octets: int) -> None:
        """A value passes that no mutator reads, which is written in so many octets."""
        if kind in _WRITTEN:
            self.octets[kind] = self.octets.get(kind, 0) + octets + 1
        else:
            self.count(kind, -(-octets // 8))

    def enter(self, kind: Kind) -> Kind | None:
        """Walk into a part of the tree that is of one kind; return what to set ``within`` to
        behind it.
        """
        before = self.within
        if self.measure is not None:
            self.within = kind if kind in _WHOLE else None
        return before


def _size(prediction: Prediction) -> int:
    # Patterns would take five times as long.
    if isinstance(prediction, Logprobs):
        return len(prediction.alternatives)
    return 1 if isinstance(prediction, Score) else prediction.values.size


def _octets(value: Any) -> int:
    if type(value) is str:
        return 1 + (len(value) if value.isascii() else len(value.encode(errors="surrogatepass")))
    try:
        return 1 + len(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        raise UpstreamError("the answer is nested too deeply to be checked") from error


def _words(text: str) -> int:
    """As many numbers of 64 bits as could say it."""
    return _octets(text) // 8 + 1


def _scalars(value: Any, of_text: Callable[[str], int] = lambda _: 1) -> int:
    """How many scalars an array or object holds, its names among them; 1 of a scalar."""
    waiting, found = [value], 0
    while waiting:
        match waiting.pop():
            case dict() as item:
                waiting += (*item, *item.values())
            case list() as item:
                waiting += item
            case str() as item:
                found += of_text(item)
            case _:
                found += 1
    return found
