"""Private answers in a policy: every order of mutators keeps their promise, or is refused."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest

from extproc.config.private_mutators import _telling
from extproc.dialects.kinds import UNCOUNTED
from extproc.errors import ConfigError
from extproc.mutators import (
    MarkPositions,
    Mutator,
    NoisyMax,
    Private,
    Similarity,
    Truncate,
    mutate,
)
from extproc.prediction import KINDS, Embedding, Kind, Prediction, Probabilities, Score, Votes
from tests.config.example import changed, compiled
from tests.mutators.test_mutators import ALL
from tests.mutators.vectors import gaussian, source

PREDICTIONS: dict[Kind, list[Prediction]] = {
    "probabilities": [
        Probabilities(np.array(values)) for values in ([0.1, 0.7, 0.2], [0.4, 0.3, 0.3])
    ],
    "votes": [Votes(np.array(values)) for values in ([3, 5, 2], [9, 0, 1])],
    "score": [Score(0.2), Score(0.9)],
    "embedding": [Embedding(gaussian(seed, 8)) for seed in (1, 2)],
}


def written(chain: Sequence[Mutator]) -> str:
    return msgspec.json.encode(chain).decode()


def loads(folder: Path, kind: Kind, chain: Sequence[Mutator]) -> bool:
    text = changed(("full: {probabilities: pass,", f"full: {{{kind}: {written(chain)},"))
    try:
        compiled(folder, text)
    except ConfigError as refused:
        told = str(refused)
        assert f"fidelities.full.{kind}[" in told  # the place
        assert "; " in told.split(": ", 2)[2]  # and a remedy
        return False
    return True


def wanted(chain: Sequence[Mutator]) -> bool:
    """Nothing but truncate before a private one, none after it; what compares is last, and what
    marks is first, and not before what compares.
    """
    if any(isinstance(each, MarkPositions) for each in chain[1:]):
        return False
    if isinstance(chain[0], MarkPositions) and isinstance(chain[-1], Similarity):
        return False
    private = [at for at, each in enumerate(chain) if isinstance(each, Private)]
    if any(isinstance(each, Similarity) for each in chain[:-1]) or len(private) > 1:
        return False
    return all(isinstance(each, Truncate) for each in chain[: sum(private)])


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_of_every_order_it_is_known_whether_it_loads_and_what_loads_answers(
    tmp_path: Path, kind: Kind
) -> None:
    """All pairs, and all threes around a private mutator; what loads answers, always the same."""
    fitting = [
        each
        for each in ALL
        if kind in each.KINDS and each.__struct_config__.tag not in {"drop", "mark"}
    ]  # a mark needs a vault, and has a test of its orders of its own: test_marks.py
    private = [each for each in fitting if isinstance(each, Private)]
    assert len(private) == 1
    chains = [*permutations(fitting, 2), (*private, *private)]
    chains += [chain for chain in permutations(fitting, 3) if chain[1] in private]
    for chain in chains:
        assert loads(tmp_path, kind, chain) is wanted(chain), written(chain)
        if wanted(chain) and not isinstance(chain[-1], Similarity):
            for prediction in PREDICTIONS[kind]:
                first, again = (mutate(chain, source(), prediction) for _ in range(2))
                assert msgspec.json.encode(octets(first)) == msgspec.json.encode(octets(again))


def octets(prediction: Prediction | None) -> object:
    assert isinstance(prediction, Probabilities | Votes | Score | Embedding)
    return prediction.value if isinstance(prediction, Score) else prediction.values.tolist()


def test_every_private_mutator_is_tried() -> None:
    private = {each for each in get_args(Mutator) if issubclass(each, Private)}
    assert {type(each) for each in ALL if isinstance(each, Private)} == private
    assert {kind for each in private for kind in each.KINDS} == set(PREDICTIONS)


@pytest.mark.parametrize(
    ("chain", "told"),
    [
        (
            "{kind: label_only}, {kind: randomized_response, epsilon: 4}",
            (
                "probabilities[0]: what label_only does is lost in the noise of "
                "randomized_response behind it; put it behind, or remove it"
            ),
        ),
        (
            "{kind: randomized_response, epsilon: 4}, {kind: randomized_response, epsilon: 4}",
            (
                "probabilities[1]: randomized_response spends privacy on what randomized_response "
                "has made private already; remove one of them"
            ),
        ),
    ],
)
def test_an_order_is_refused_in_a_sentence(tmp_path: Path, chain: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(
            tmp_path, changed(("full: {probabilities: pass,", f"full: {{probabilities: [{chain}],"))
        )
    assert str(caught.value) == f"{tmp_path}/policy.yaml:12: fidelities.full.{told}"


PRIVATE: dict[Kind, str] = {
    "votes": "{kind: noisy_max, noise: gaussian, scale: 40}",
    "probabilities": "{kind: randomized_response, epsilon: 4}",
    "score": "{kind: discrete_laplace, epsilon: 4, low: 0, high: 1, step: 0.1}",
    "embedding": "{kind: gaussian, clip: 1, sigma: 2, step: 0.01}",
}
TOLD = [
    ("probabilities", "label", True),
    ("probabilities", "tensor", True),
    ("probabilities", "score", False),
    ("score", "tensor", True),
    ("score", "label", False),
    ("embedding", "tensor", True),
    ("embedding", "label", False),
]
KSERVE = "{kind: kserve_v2, outputs: {probs: probabilities}}"


def beside(kind: Kind, other: Kind, dialect: str) -> str:
    tier = f"full: {{{kind}: [{PRIVATE[kind]}], {other}: pass}}"
    return changed(("full: {probabilities: pass, text: pass}", tier), (KSERVE, dialect))


@pytest.mark.parametrize(("kind", "other", "tells"), TOLD)
def test_what_tells_what_is_hidden_does_not_pass_beside_it(
    tmp_path: Path, kind: Kind, other: Kind, tells: bool
) -> None:
    """On a route that can answer both; on others nothing is told by it."""
    if other != "tensor":  # which any answer of this dialect can hold
        compiled(tmp_path, beside(kind, other, f"{{kind: kserve_v2, outputs: {{a: {kind}}}}}"))
    outputs = f"b: {other}" if other != "tensor" else ""
    text = beside(kind, other, f"{{kind: kserve_v2, outputs: {{a: {kind}, {outputs}}}}}")
    if not tells:
        compiled(tmp_path, text)
        return
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    name = PRIVATE[kind].split(",")[0].removeprefix("{kind: ")
    assert str(caught.value).endswith(
        f"fidelities.full.{kind}[0]: POST /v2/models/{{model}}/infer answers {other} as well, "
        f"which tells what {name} hides; leave {other} out, or remove the route"
    )


def test_whatever_a_model_says_of_an_input_tells_of_its_votes() -> None:
    assert {*_telling(NoisyMax(noise="gumbel", scale=4.0)), *UNCOUNTED} == set(KINDS)
