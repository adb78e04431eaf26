import io

import numpy as np
import pytest
from magika import Magika as Reference
from magika.types.seekable import Seekable

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.victims import magika
from extproc.redteam.victims.files import files
from extproc.redteam.victims.magika import PADDING, SIDE, features
from extproc.redteam.victims.victim import ClassifierVictim
from tests.redteam.victims.splits import bounded, disjoint

TAKEN = 2**20
"""Bytes of a request, where a policy file does not say otherwise."""
CONTENTS = [
    *files(27, np.random.default_rng(3))[1],
    b"  \n short \n ",
    b" " * 3_000 + b"x" * 3_000 + b" " * 3_000,
    bytes(range(256)) * 40,
]


@pytest.fixture(scope="module")
def victim() -> ClassifierVictim:
    return magika.victim()


def test_a_file_becomes_the_input_that_the_wheel_makes_of_it() -> None:
    for content in CONTENTS:
        theirs = Reference._extract_features_from_seekable(
            Seekable(io.BytesIO(content)),
            SIDE,
            0,
            SIDE,
            PADDING,
            4_096,
            use_inputs_at_offsets=False,
        )
        assert features(content).tolist() == [*theirs.beg, *theirs.end]


def test_its_inputs_are_dealt_apart_and_within_bounds(victim: ClassifierVictim) -> None:
    disjoint(victim)
    bounded(victim)
    assert len(victim.task) == len(victim.natural) == 2_000
    assert (victim.task == np.rint(victim.task)).all()


def test_the_truth_is_the_kind_that_was_written(victim: ClassifierVictim) -> None:
    labels = magika._labels()
    kinds, _ = files(len(victim.secret.truth), np.random.default_rng(0))
    assert [labels[place] for place in victim.secret.truth] == list(kinds)


def test_nobody_knows_its_members(victim: ClassifierVictim) -> None:
    assert len(victim.secret.members) == len(victim.secret.others) == 0
    assert victim.slow


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(magika, "find_spec", lambda _: None)
    magika._labels.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="pip install 'extproc"):
        magika.victim()


@pytest.mark.parametrize("kind", ["task", "natural", "uniform"])
def test_no_request_is_larger_than_the_gateway_takes(victim: ClassifierVictim, kind: str) -> None:
    """Uniform inputs have the most digits."""
    adapter = victim.adapter
    assert isinstance(adapter, Kserve)
    uniform = np.random.default_rng(1).uniform(victim.low, victim.high, victim.task.shape)
    inputs = {"task": victim.task, "natural": victim.natural, "uniform": uniform}[kind]
    assert len(adapter.request(inputs[: adapter.most], 0).body) < TAKEN
