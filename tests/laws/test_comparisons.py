"""The laws of answers whose vectors are compared: cosines leave and no vector, of whatever API."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from extproc.config.document import Document
from extproc.config.gatherings import check_gatherings
from extproc.draw import Source
from extproc.errors import ConfigError
from extproc.fidelity import Fidelity
from extproc.mutators import Mutator, Quantize, Similarity, Truncate, mutate
from extproc.prediction import KINDS, Embedding, Prediction, Vector
from tests.corpus.exchanges import Recorded
from tests.laws.serving import CORPUS, OPEN, Kinds, again, every_answer, serve, ways

CHAINS: Final[Sequence[tuple[Mutator, ...]]] = (
    (),
    (Truncate(dimensions=1),),
    (Quantize(bits=4),),
)
DIGITS: Final = 2
every_chain = pytest.mark.parametrize("chain", CHAINS, ids=["alone", "truncate", "quantize"])


def comparing(chain: tuple[Mutator, ...]) -> Kinds:
    return {**OPEN, "embedding": (*chain, Similarity(digits=DIGITS))}


def vectors(exchange: Recorded) -> list[Vector]:
    """Those of an answer, as its dialect reads them."""
    seen: list[Vector] = []

    def see(source: Source | None, prediction: Prediction) -> Prediction:
        if isinstance(prediction, Embedding):
            seen.append(prediction.values)
        return prediction

    serve(exchange, OPEN, edits=dict.fromkeys(KINDS, see))
    return seen


def mutated(chain: tuple[Mutator, ...], values: Vector) -> Vector:
    after = mutate(chain, None, Embedding(values))
    assert isinstance(after, Embedding)
    return after.values


@every_answer
@every_chain
def test_what_leaves_are_the_cosines_of_the_inputs(
    exchange: Recorded, chain: tuple[Mutator, ...]
) -> None:
    before = vectors(exchange)
    for whole in ways(exchange):
        served = serve(exchange, comparing(chain), whole=whole)
        if not served.released:
            continue
        told = vectors(again(exchange, served))
        assert len(told) == len(before)
        for start in range(0, len(told), max(1, len(told[0]) if told else 1)):
            # One row may be written in digits and another in octets.
            rows = np.array(told[start : start + told[0].size]).astype(np.float32)
            units = np.array([mutated(chain, each) for each in before[start:][: len(rows)]])
            units /= np.linalg.norm(units, axis=1)[:, np.newaxis]
            np.testing.assert_allclose(rows, units @ units.T, atol=0.6 * 10.0**-DIGITS)
            np.testing.assert_allclose(rows, np.round(rows, DIGITS), atol=1e-6)
            assert (rows == rows.T).all()


@pytest.mark.parametrize("name", CORPUS)
def test_what_a_policy_may_not_compare_is_not_served_either(name: str) -> None:
    """Were it not refused when the policy is loaded."""
    exchange = CORPUS[name]
    document = Document(Path("policy.yaml"), None, {(): 1})
    try:
        check_gatherings(document, Fidelity("t", comparing(())), [exchange.route])
    except ConfigError:
        served = serve(exchange, comparing(()))
        assert not served.released or not vectors(again(exchange, served))
    else:
        served = serve(exchange, comparing(()))
        assert served.released or "embedding" in served.fault
