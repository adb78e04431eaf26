"""What is counted of an answer is what passes, however it comes; and no less than it tells."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.answers import Document
from extproc.dialects.confidences import SCORE, ScoredLabels
from extproc.dialects.kinds import UNCOUNTED
from extproc.dialects.shape import Fields, Items, Node, Opaque, Rewrite
from extproc.dialects.told import Told
from extproc.dialects.vectors import VECTOR
from extproc.fidelity import Fidelity
from extproc.information import Measure, Sizes, spent
from extproc.mutators import Bins, Drop, LabelOnly, Mutator, Quantize, Round, TopK
from extproc.prediction import KINDS, Kind
from extproc.rewriter import WHOLE, rewritten
from tests.corpus.exchanges import Recorded
from tests.laws.informing import informed
from tests.laws.serving import (
    NOTHING,
    OPEN,
    TIERS,
    Kinds,
    answer_of,
    every_answer,
    every_exchange,
    few,
)

HOLDING_MORE: Final = frozenset(
    {
        "cohere_embed_v2",
        "generic_lines",
        "ollama_chat_document",
        "ollama_chat_lines",
        "sagemaker_built_in",
        "triton_generate_document",
        "triton_generate_stream",
    }
)
"""Exchanges whose answers hold more than was asked for, or the same twice."""
some_tiers: Final = pytest.mark.parametrize(
    "kinds",
    [
        TIERS[name]
        for name in ("open", "text_and_label", "top_k", "round", "quantize", "similarity", "hash")
    ],
)
COUNTED: Final = [kind for kind in KINDS if kind not in UNCOUNTED]
VANISHING: Final = frozenset({"openai_chat_counted"})
"""Exchanges of which an event with predictions goes for another reason than its tier."""


def _counted(told: Told) -> dict[Kind, float]:
    return {**told.bits, **told.octets}


@every_answer
def test_a_kind_that_changes_the_answer_is_counted_and_no_other(exchange: Recorded) -> None:
    whole = informed(exchange, OPEN)
    if whole is None or exchange.name in VANISHING:
        return
    for kind in COUNTED:
        without = informed(exchange, {other: () for other in KINDS if other != kind})
        shows = without is None or without.body != whole.body
        assert (_counted(whole.told).get(kind, 0) > 0) is shows, kind
        if without is not None:
            assert kind not in _counted(without.told)


@every_exchange
@some_tiers
def test_it_does_not_matter_how_the_body_was_cut_or_read(exchange: Recorded, kinds: Kinds) -> None:
    at_once = informed(exchange, kinds)
    body = exchange.answer
    pieces = [body[at : at + 1] for at in range(len(body))]
    for whole in [WHOLE, 0] if isinstance(answer_of(exchange), Document) else [WHOLE]:
        piecewise = informed(exchange, kinds, pieces=pieces, whole=whole)
        assert (at_once is None) is (piecewise is None)
        if at_once is not None and piecewise is not None:
            assert piecewise.told.bits == at_once.told.bits
            assert piecewise.told.octets == at_once.told.octets


@every_exchange
@some_tiers
def test_an_answer_tells_no_more_than_was_expected(exchange: Recorded, kinds: Kinds) -> None:
    if exchange.name in HOLDING_MORE or (one := informed(exchange, kinds)) is None:
        return
    # What is written is expected together, as the text.
    together = {kind: one.bits.get(kind, 0) for kind in COUNTED}
    together["text"] += together.pop("reasoning")
    expected = dict(one.expected)
    expected["text"] = expected.get("text", 0) + expected.pop("reasoning", 0)
    assert all(bits <= expected.get(kind, 0) for kind, bits in together.items())


@every_exchange
def test_a_tier_that_lets_nothing_through_costs_nothing(exchange: Recorded) -> None:
    one = informed(exchange, NOTHING)
    assert one is None or not one.bits


@few
@given(digits=st.integers(1, 5), bits=st.integers(2, 15))
def test_a_coarser_tier_never_costs_more(digits: int, bits: int) -> None:
    def cost(digits: int, bits: int) -> list[float]:
        chains: dict[Kind, list[Mutator]] = {
            "probabilities": [Round(digits=digits)],
            "score": [Round(digits=digits)],
            "logprobs": [Round(digits=digits)],
            "embedding": [Quantize(bits=bits)],
        }
        measure = Measure(chains, Sizes())
        return [measure(kind, size) for kind in chains for size in (1, 2, 10, 1000)]

    fine, coarse = cost(digits + 1, bits + 1), cost(digits, bits)
    assert all(map(float.__le__, coarse, fine))
    untouched = Measure(dict.fromkeys(KINDS, ()), Sizes())
    for kind in ("probabilities", "embedding"):
        assert Measure({kind: [Drop()]}, Sizes())(kind, 10) <= untouched(kind, 10)


# On policies so small that everything can be asked, the charges of all answers together are no less
# than the log2 of how many there are: of those that cost so much, and of several in turn.

CLASSES: Final = ("a", "b", "c")
GRID: Final = 24


def _distributions() -> Iterator[list[float]]:
    for first, second in product(range(GRID + 1), repeat=2):
        if first + second <= GRID:
            yield [first / GRID, second / GRID, (GRID - first - second) / GRID]


def _scored() -> Iterator[object]:
    """As sorted by the server, and in a fixed order: its order tells something too."""
    for values in _distributions():
        entries = [{"label": name, "score": p} for name, p in zip(CLASSES, values, strict=True)]
        yield entries
        yield sorted(entries, key=lambda entry: -float(str(entry["score"])))


def _vectors() -> Iterator[object]:
    steps = [step / 7 for step in range(-7, 8)]
    for vector in product(steps, repeat=2):
        yield list(vector)


def _costs(node: Node, chains: Kinds, values: Iterable[object]) -> Mapping[int, set[bytes]]:
    """Of each cost, the answers that cost so much."""
    edits = Fidelity("tiny", chains).edits()
    measure = Measure(chains, Sizes(probabilities=len(CLASSES)))
    found: dict[int, set[bytes]] = defaultdict(set)
    for value in values:
        run = Rewrite(edits, "m", told=Told(measure=measure))
        after = rewritten(orjson.dumps(value), node, run)
        assert after is not None
        found[sum(spent(run.told, ended=True).values())].add(after)
    return found


def _assert_sound(costs: Mapping[int, set[bytes]]) -> None:
    for most in costs:
        known = {answer for cost, answers in costs.items() if cost <= most for answer in answers}
        assert math.log2(len(known)) <= most


LABELLED: Final = ScoredLabels()
TINY: Final[Mapping[str, tuple[Node, Kinds, list[object]]]] = {
    "labels": (LABELLED, {"label": ()}, [*_scored()]),
    "label_only": (LABELLED, {"label": (), "probabilities": [LabelOnly()]}, [*_scored()]),
    "no_names": (LABELLED, {"probabilities": [Round(digits=1)]}, [*_scored()]),
    "round": (LABELLED, {"label": (), "probabilities": [Round(digits=1)]}, [*_scored()]),
    "top": (
        LABELLED,
        {"label": (), "probabilities": [TopK(k=1), Round(digits=1)]},
        [*_scored()],
    ),
    "bins": (LABELLED, {"label": (), "probabilities": [Bins(count=3)]}, [*_scored()]),
    "score": (SCORE, {"score": [Round(digits=1)]}, [n / 1000 for n in range(-2000, 2001)]),
    "vector": (VECTOR, {"embedding": [Quantize(bits=2)]}, [*_vectors()]),
}
tiny: Final = pytest.mark.parametrize(("node", "chains", "values"), TINY.values(), ids=TINY)


@tiny
def test_answers_that_cost_so_much_are_no_more_than_so_many_bits_tell(
    node: Node, chains: Kinds, values: list[object]
) -> None:
    costs = _costs(node, chains, values)
    _assert_sound(costs)
    assert sum(map(len, costs.values())) > 1


@tiny
def test_nor_are_the_transcripts_of_several_answers(
    node: Node, chains: Kinds, values: list[object]
) -> None:
    some = values[:: max(9, len(values) // 150)]
    pairs = [[one, other] for one, other in product(some, repeat=2)]
    _assert_sound(_costs(Items(node), chains, pairs))


def test_texts_cost_as_a_code_in_which_no_two_runs_of_texts_are_alike() -> None:
    octets = ["", *map(chr, range(128))]
    deltas = Items(Fields({"delta": Opaque("text")}))
    runs = [[one] for one in octets] + [list(pair) for pair in product(octets[::7], repeat=2)]
    values = [[{"delta": text} for text in run] for run in runs]
    costs = _costs(deltas, {"text": ()}, values)
    assert sum(len(answers) * 2.0**-cost for cost, answers in costs.items()) < 1


@pytest.mark.parametrize("text", ["", "s", "s3cret", "héllo", "漢字", "a\nb"])
def test_a_text_costs_each_of_its_octets_wherever_it_ends(text: str) -> None:
    run = Rewrite({"text": None}, "m", told=Told(measure=Measure({"text": ()}, Sizes())))
    rewritten(orjson.dumps({"delta": text}), Fields({"delta": Opaque("text")}), run)
    assert spent(run.told, ended=True) == {"text": 8 * (len(text.encode()) + 1)}
