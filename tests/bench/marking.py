"""What it costs to mark an answer: its cell, its draws, and the change of one that is marked.

Beside reading and rewriting it, which rewriting.py measures: all that an answer of one input takes
more at a tier that marks.  Of vectors that is to move some of their components, and to keep what is
committed to of a share of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import Any, Final

import numpy as np
from sklearn.datasets import load_digits, load_wine

from extproc.canonical import at_once, digests
from extproc.dialects import OpenAIChat
from extproc.dialects.answers import Document
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Node, Rewrite
from extproc.dialects.told import Told
from extproc.draw import Draw, Draws
from extproc.marks.canaries import Canaries
from extproc.marks.cells import Cells
from extproc.marks.keeping import Keeping
from extproc.marks.marking import Marking, Marks
from extproc.mutators import Mark, MarkPositions, mutate
from extproc.prediction import Embedding, Kind, Prediction, Probabilities
from tests.bench.figures import Figure, Spread, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.detectors.questions import questions

RATE: Final = 0.005
GOAL: Final = 30.0
_ASKED: Final = 500
_CLASSES: Final = Probabilities(np.array([0.02, 0.61, 0.01, 0.27, 0.09]))
_MARKS: Final = Marks(Cells(Draw(b"c" * 32)), Draw(b"m" * 32), RATE)
_CANARIES: Final = Canaries(_MARKS.cells, Draw(b"t" * 32), 0.01, "\n\n(Reference: {})")
_IMPOSED: Final = {"logit_bias": {str(token): 2.0 for token in range(0, 300, 2)}}
CHAT: Final = OpenAIChat()
_SAID: Final = "It is a long answer, and it ends as sentences do. " * 4
_MESSAGE: Final = {"role": "assistant", "content": _SAID}
_ANSWER: Final = {"choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}]}
_REQUEST: Final = b'{"model":"gpt","messages":[{"role":"user","content":"What is this?"}]}'
_SPACE: Final = Draw(b"s" * 32)
_DIGEST: Final = b"d" * 32
_VECTOR: Final = Embedding(np.ones(1536))


def marking() -> Table:
    inputs: dict[str, Sequence[Any]] = {
        "a question of some 50 characters": questions(_ASKED, 2),
        "an image of 64 numbers": load_digits().data[:_ASKED].tolist(),
        "a row of 13 columns": load_wine().data.tolist(),
    }
    vectors = {f"a vector of {size} dimensions": _vectors(size) for size in (384, 1536)}
    committed = {f"{name}, a fifth committed to": _kept(each) for name, each in vectors.items()}
    marks = {name: _marking(each) for name, each in inputs.items()} | vectors | committed
    texts = [Work(_planting()), Work(partial(_read, {})), Work(partial(_read, _IMPOSED))]
    scale, *found, planted, plain, imposed = take_turns(
        [Work(empty_loop), *map(Work, marks.values()), *texts]
    )
    more = (getattr(imposed, name) - getattr(plain, name) for name in ("median", "low", "high"))
    listed = Spread(*more)
    of_texts = {"a chat, of a canary": planted, "a chat, of a green list": listed}
    return Table(
        "Marks",
        f"all that an answer takes more at a tier that marks {RATE:.1%} of cells",
        (
            Figure(EMPTY_LOOP, "us", scale),
            *(Figure(name, "us", each, goal=GOAL) for name, each in zip(marks, found, strict=True)),
            *(Figure(name, "us", each, goal=GOAL) for name, each in of_texts.items()),
        ),
    )


def _planting() -> Callable[[], object]:
    """That a prompt is looked at, and that an answer is looked at to its end where it is one."""
    prompts = cycle([[{"role": "user", "content": each}] for each in questions(_ASKED, 2)])
    answer = CHAT.ended()["application/json"]
    assert isinstance(answer, Document)
    return partial(_plant, prompts, answer.node)


def _plant(prompts: Iterator[Any], node: Node) -> object:
    marking = at_once(_CANARIES.marking("gpt", [next(prompts)]))
    return node.rewrite(_ANSWER, Rewrite({"text": None}, "gpt", told=Told(marking=marking)), "")


def _read(imposed: Mapping[str, Any]) -> object:
    return CHAT.read(_REQUEST, {}, Terms(frozenset[Kind]({"text"}), imposed=imposed))


def _marking(inputs: Sequence[Any]) -> Callable[[], object]:
    return partial(_mark, Mark(rate=RATE), cycle(inputs))


def _vectors(size: int) -> Callable[[], object]:
    drawn = np.random.default_rng(0).normal(size=(_ASKED, size)) / size**0.5
    vectors, source = cycle(map(Embedding, drawn)), Draws(_SPACE, [_DIGEST], marks=_SPACE).of(0)
    chain = (MarkPositions(strength=0.03),)
    return lambda: mutate(chain, source, next(vectors))


def _kept(move: Callable[[], object]) -> Callable[[], object]:
    asked = questions(_ASKED, 2)
    inputs = cycle(zip(asked, at_once(digests(asked)), strict=True))
    return partial(_keep, move, Keeping(_SPACE, 0.03, 0.2), inputs)


def _keep(move: Callable[[], Any], keeping: Keeping, inputs: Iterator[tuple[Any, bytes]]) -> object:
    text, digest = next(inputs)
    kept = at_once(keeping.kept([text], [digest]))
    marking = Marking({}, frozenset(), single=True, kept=kept)
    return marking.noting(0, (), lambda _: move())(_VECTOR)


def _mark(mark: Mark, inputs: Iterator[Any]) -> Prediction | None:
    made = at_once(_MARKS.marking("digits", [next(inputs)]))
    draws = Draws(_SPACE, [_DIGEST], b"", made.cells)
    return made.noting(0, (), partial(mutate, (mark,), draws.of(0)))(_CLASSES)
