"""The laws of chains: whatever a policy allows keeps, in every order, what its mutators promise.

Of classes and vectors, every chain of up to three of the registry's mutators which the loader
accepts, and of other kinds every one there is; on several inputs at once, one in a cell that is
marked, one in a control's, others in neither.  A chain loads where its pairs do (config/orders.py),
so that a longer one has no pair that is not tried here.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
import pytest

from extproc.canonical import digest
from extproc.dialects.ballots import Ballot
from extproc.dialects.confidences import SCORE, ScoredLabels
from extproc.dialects.gathered import Gathered
from extproc.dialects.kinds import kinds_of
from extproc.dialects.mutation import Batched
from extproc.dialects.openai_logprobs import ENTRIES
from extproc.dialects.paid import Paid
from extproc.dialects.ranking import Pairs
from extproc.dialects.shape import Items, Node, Rewrite
from extproc.dialects.told import Told
from extproc.dialects.vectors import VECTOR
from extproc.draw import Draw, Draws
from extproc.fidelity import Fidelity
from extproc.information import Information, Sizes
from extproc.mutators import (
    Mark,
    MarkPositions,
    Mutator,
    Private,
    Similarity,
    Smooth,
    Truncate,
    limit,
    mutate,
)
from extproc.prediction import Embedding, Kind, Prediction, Probabilities, Score, Votes
from extproc.rewriter import rewritten
from tests.config.orders import KINDS, OTHER, Chain, accepted, is_private, routes, written
from tests.mutators.vectors import CONTROL, MARKED, gaussian

Law = Callable[[Chain], bool]
COUNT: Final = 3
MOST: Final[Mapping[Kind, int]] = {**dict.fromkeys(KINDS, 4), "probabilities": 3, "embedding": 3}
CELLS: Final = {0: MARKED, 1: CONTROL}
NAMES: Final = ("ant", "bee", "cat", "doe", "elk", "fox")
LOOK: Final = "is {} it?"
RANDOM: Final = np.random.default_rng(9)


def _softmax(temperature: float) -> list[float]:
    weights = np.exp(RANDOM.standard_normal(len(NAMES)) * temperature)
    return [float(each) for each in weights / weights.sum()]


def _entry(text: str, logprob: float, *others: tuple[str, float]) -> dict[str, Any]:
    alternatives = [{"token": each, "logprob": number, "bytes": None} for each, number in others]
    entry: dict[str, Any] = {"token": text, "logprob": logprob, "bytes": None}
    return {**entry, "top_logprobs": alternatives} if others else entry


SAID: Final[Mapping[Kind, Sequence[Any]]] = {
    "probabilities": [_softmax(0.05), _softmax(0.05), _softmax(0.05), _softmax(1), _softmax(4)],
    "votes": [[4, 5, 1], [10, 0, 0], [3, 3, 4]],
    "score": [0.7499123, 17.2183, -3.14159],
    "logprobs": [
        _entry(" a", -0.0871234, (" a", -0.0871234), (" b", -3.2141), ("\n", -9.7512)),
        _entry(" b", -1.2345678, (" a", -0.91234), (" b", -1.2345678)),
        _entry(" c", -0.5432109, (" c", -0.5432109)),
    ],
    "embedding": [gaussian(seed, 8).astype(np.float32).tolist() for seed in (1, 2, 3)],
}
"""What a model says of each input; near a border, and far from it."""
NODES: Final[Mapping[Kind, Node]] = {
    "probabilities": Items(ScoredLabels(), each=True),
    "votes": Items(Ballot(10), each=True),
    "score": Items(SCORE, each=True),
    "logprobs": ENTRIES,
    "embedding": Gathered(Items(VECTOR, each=True)),
}
"""How it is read."""
READERS: Final = {**NODES, "votes": Items(Ballot(1), each=True)}
"""How what is served is: of votes, one for each input is left."""


def draws(chain: Chain, kind: Kind, look: str = LOOK) -> Draws:
    tier = Fidelity("law", {kind: chain}).digest()
    inputs = [digest(look.format(number)) for number in range(len(SAID[kind]))]
    space = Draw(b"s" * 32)
    return Draws(space, inputs, tier, CELLS, space.child(b"marks"))


def answer(kind: Kind) -> Any:
    if kind != "probabilities":
        return SAID[kind]
    return [_named(values) for values in SAID[kind]]


def _named(values: Sequence[float]) -> list[dict[str, Any]]:
    return [{"label": name, "score": each} for name, each in zip(NAMES, values, strict=True)]


@cache
def served(chain: Chain, kind: Kind, look: str = LOOK) -> bytes:
    """What leaves of the answers to all inputs."""
    return _rewritten(orjson.dumps(answer(kind)), chain, kind, look, NODES[kind])


def _rewritten(
    said: bytes, chain: Chain, kind: Kind, look: str, node: Node, told: Told | None = None
) -> bytes:
    edits = Fidelity("law", {kind: chain, "label": ()}).edits()
    run = Rewrite(edits, "m", draws(chain, kind, look), told=told or Told(), inputs=len(SAID[kind]))
    after = rewritten(said, node, run)
    assert after is not None
    return after


def predictions(kind: Kind) -> list[Prediction]:
    """The same, as mutators are given it."""
    match kind:
        case "probabilities":
            return [Probabilities(np.array(values)) for values in SAID[kind]]
        case "votes":
            return [Votes(np.array(values)) for values in SAID[kind]]
        case "score":
            return [Score(value) for value in SAID[kind]]
        case _:
            return [Embedding(np.array(values)) for values in SAID[kind]]


def made(chain: Sequence[Mutator], kind: Kind, of: Chain | None = None) -> list[Any]:
    """By each input what mutators make of it, as they do in the tier of a chain."""
    drawn = draws(tuple(chain) if of is None else of, kind)
    return [
        mutate(chain, drawn.of(number), prediction)
        for number, prediction in enumerate(predictions(kind))
    ]


def broken(kind: Kind, law: Law) -> list[str]:
    """The chains that do not keep it."""
    return [written(chain) for chain in accepted(kind, MOST[kind]) if not law(chain)]


every_kind: Final = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_what_is_served_is_read_by_who_reads_the_models_answers(kind: Kind) -> None:
    def law(chain: Chain) -> bool:
        answered = served(chain, kind)
        if isinstance(chain[-1], Similarity):  # rows of cosines are no vectors of the model
            return np.array(orjson.loads(answered)).shape == (COUNT, COUNT)
        return _rewritten(answered, (), kind, LOOK, READERS[kind]) == answered

    assert broken(kind, law) == []


@every_kind
def test_asked_again_in_other_looks_every_chain_answers_with_the_same_octets(kind: Kind) -> None:
    def law(chain: Chain) -> bool:
        return served(chain, kind) == served(chain, kind, "  IS {} it !?")

    assert broken(kind, law) == []


@every_kind
def test_no_mutator_lets_through_more_than_what_stands_before_it(kind: Kind) -> None:
    def law(chain: Chain) -> bool:
        before, last = limit(chain[:-1], kind, 6, COUNT), chain[-1]
        if isinstance(last, Similarity):  # a row is about all inputs
            return last.bits(before, COUNT) <= COUNT * before.bits
        return limit(chain, kind, 6, COUNT).bits <= before.bits

    assert broken(kind, law) == []


@every_kind
def test_what_marks_or_blurs_is_given_what_the_model_said(kind: Kind) -> None:
    def law(chain: Chain) -> bool:
        return not any(isinstance(each, Mark | MarkPositions | Smooth) for each in chain[1:])

    assert broken(kind, law) == []


@every_kind
def test_a_private_mutator_is_given_what_the_model_said_and_costs_the_same(kind: Kind) -> None:
    """Or the first dimensions of that; once in a chain, whatever is made of its answers."""
    count = len(SAID[kind])

    def law(chain: Chain) -> bool:
        dialect = next(each.dialect for each in routes(chain) if kind in kinds_of(each.dialect))
        private = [(at, each) for at, each in enumerate(chain) if isinstance(each, Private)]
        before = [other for at, _ in private for other in chain[:at]]
        prices = Information(dialect, {kind: chain}, Sizes()).prices
        paid = Paid(prices, {kind: count})
        _rewritten(orjson.dumps(answer(kind)), chain, kind, LOOK, NODES[kind], Told(paid=paid))
        return (
            len(private) < 2
            and all(isinstance(each, Truncate) for each in before)
            and {price.most for price in prices.values()} == {each.cost() for _, each in private}
            and [*paid.spent.values()] == [each.cost().times(count) for _, each in private]
            and paid.left == {kind: 0 if private else count}
        )

    assert broken(kind, law) == []


def labels(chain: Sequence[Mutator], tier: Chain) -> list[int]:
    """The likeliest class of each answer, in the tier of a chain."""
    return [int(after.values.argmax()) for after in made(chain, "probabilities", tier)]


def test_the_label_is_the_models_own_or_what_marks_or_blurs_it_makes_of_that() -> None:
    """So a mark survives whatever stands behind it, and on a border the next class is served.

    Planted: ``smooth`` behind ``top_k`` of one class serves the first of those that are hidden.
    """

    def law(chain: Chain) -> bool:
        return labels(chain, chain) == labels([each for each in chain if each.RELABELS], chain)

    assert broken("probabilities", law) == []


def test_whatever_stands_behind_a_mark_it_is_the_next_class_that_is_served() -> None:
    best = [np.argsort(values)[::-1].tolist() for values in SAID["probabilities"]]
    wanted = [best[0][1], *(classes[0] for classes in best[1:])]
    marking = [
        each for each in accepted("probabilities", 3) if any(isinstance(m, Mark) for m in each)
    ]
    assert {m for chain in marking for m in chain} > {OTHER}
    assert [written(chain) for chain in marking if labels(chain, chain) != wanted] == []


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("falling", [False, True])
def test_names_stand_beside_the_numbers_that_are_served_for_them(
    *, pairs: bool, falling: bool
) -> None:
    """However the model server sorts its classes, and however the API writes them."""
    rows = [[*zip(NAMES, values, strict=True)] for values in SAID["probabilities"]]
    if falling:
        rows = [sorted(row, key=lambda pair: -pair[1]) for row in rows]
    node: Node = Items(Pairs() if pairs else ScoredLabels(), each=True)
    said = rows if pairs else [[{"label": n, "score": p} for n, p in row] for row in rows]

    def law(chain: Chain) -> bool:
        drawn = draws(chain, "probabilities")
        told = orjson.loads(_rewritten(orjson.dumps(said), chain, "probabilities", LOOK, node))
        for at, (row, entries) in enumerate(zip(rows, told, strict=True)):
            values = Probabilities(np.array([value for _, value in row]))
            after: Any = mutate(chain, drawn.of(at, [[name] for name, _ in row]), values)
            found = [(e["label"], e["score"]) for e in entries] if not pairs else entries
            shown = {name: value for name, value in found if name != "other"}
            names = (name for name, _ in row)
            if shown != {n: v for n, v in zip(names, after.values, strict=True) if v}:
                return False
            if falling and found[0][1] != max(shown.values()):
                return False
        return True

    beside = [chain for chain in accepted("probabilities", 3) if not is_private(chain)]
    assert [written(chain) for chain in beside if not law(chain)] == []


def numbers(value: Any) -> set[float]:
    """All that stand in an answer, but those that any answer may hold."""
    match value:
        case dict():
            return set().union(*map(numbers, value.values()))
        case list():
            return set().union(*map(numbers, value))
        case int() | float():
            return {float(value)} - {0.0, 1.0}
        case _:
            return set()


@every_kind
def test_what_one_of_a_chain_hides_none_of_the_others_brings_back(kind: Kind) -> None:
    """No number of the model's own is served that one of them alone does not serve."""
    said = numbers(SAID[kind])

    @cache
    def shown(chain: Chain) -> set[float]:
        return said & numbers(orjson.loads(served(chain, kind)))

    def law(chain: Chain) -> bool:
        return all(shown(chain) <= shown((each,)) for each in chain)

    assert broken(kind, law) == []
    assert not all(shown(chain) for chain in accepted(kind, 1))


def test_a_class_that_was_hidden_stays_hidden() -> None:
    def law(chain: Chain) -> bool:
        steps = [made(chain[: at + 1], "probabilities", chain) for at in range(len(chain))]
        return all(
            not after.values[before.values == 0.0].any()
            for answers in zip(*steps, strict=True)
            for before, after in pairwise(answers)
        )

    assert broken("probabilities", law) == []


def test_what_is_hidden_is_told_together_to_the_end() -> None:
    """What is shown and what is hidden add up to what they did, but for what is rounded."""

    def law(chain: Chain) -> bool:
        before = made(chain[: chain.index(OTHER)], "probabilities", chain)
        after = made(chain, "probabilities", chain)
        return all(
            new.other is not None and abs(new.values.sum() + new.other - old.values.sum()) <= 0.011
            for old, new in zip(before, after, strict=True)
        )

    telling = [chain for chain in accepted("probabilities", 3) if OTHER in chain]
    assert [written(chain) for chain in telling if not law(chain)] == []


@every_kind
def test_many_at_once_are_answered_as_one_by_one(kind: Kind) -> None:
    """Bit for bit, in every order of those that can."""

    def law(chain: Chain) -> bool:
        edit = Fidelity("law", {kind: chain}).edits()[kind]
        if not isinstance(edit, Batched):
            return True
        if kind == "logprobs":
            twice = _rewritten(orjson.dumps([*SAID[kind]] * 2), chain, kind, LOOK, NODES[kind])
            return bool(orjson.loads(twice) == orjson.loads(served(chain, kind)) * 2)
        if edit.rows is None or OTHER in chain:
            return True
        rows = np.array(SAID[kind]).reshape(len(SAID[kind]), -1)
        one_by_one = [np.atleast_1d(_numbers(each)) for each in made(chain, kind)]
        return edit.rows(rows).tobytes() == np.array(one_by_one).tobytes()

    assert broken(kind, law) == []


def _numbers(prediction: Any) -> Any:
    return prediction.value if isinstance(prediction, Score) else prediction.values
