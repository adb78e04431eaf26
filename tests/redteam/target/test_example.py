"""The example of the guide is a target file that can be used."""

from pathlib import Path
from shutil import copy

import numpy as np
import pytest

from extproc.redteam.adapters.declared import DeclaredClassifier
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.request import Reply
from extproc.redteam.target.target import load
from extproc.redteam.victims.victim import ClassifierVictim

EXAMPLE = Path(__file__).parents[3] / "docs/examples/target.yaml"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """With what its user has to have beside it."""
    np.savetxt(tmp_path / "inputs.csv", np.arange(40 * 64).reshape(40, 64) % 17, delimiter=",")
    (tmp_path / "redteam-keys").write_text("xk-one\nxk-two\n")
    copy(EXAMPLE, tmp_path)
    return tmp_path / "target.yaml"


def test_the_example_of_the_guide_can_be_attacked(example: Path) -> None:
    target = load(example)
    attacks = target.attacks(ATTACKS)
    assert {"equation-solving", "distillation", "label-boundary"} <= attacks.keys()
    assert "knockoff-random" not in attacks  # needs other_inputs
    assert target.policies == ("target",)


def test_the_example_asks_and_reads_as_the_demos_model_server_does(example: Path) -> None:
    victim = load(example).victim
    assert isinstance(victim, ClassifierVictim)
    assert isinstance(victim.adapter, DeclaredClassifier)
    request = victim.adapter.request(victim.task[:2], 0)
    assert request.body.count(b",") == 2 * 64 - 1 + 4
    outputs = '{"outputs": [{"name": "label", "data": [3, 1]}]}'
    answers = victim.adapter.read(Reply(200, (), outputs.encode(), 0.0, 0.0), 2)
    assert answers.labels.tolist() == [3, 1]
