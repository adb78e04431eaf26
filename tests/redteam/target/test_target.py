"""A gateway of the user's own, as something that can be attacked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from extproc.redteam.attack import Kind, Needs
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.plan import Wanted, plan
from extproc.redteam.policy_choice import Choice
from extproc.redteam.preflight import preflight
from extproc.redteam.target.target import Target, load
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim
from tests.redteam.planted_servers import KEY, VICTIM, honest, serving

BODY = (
    """{"inputs": [{"name": "x", "shape": [{{count}}, 4], "datatype": "FP64", "data": {{flat}}}]}"""
)
FILE: dict[str, Any] = {
    "name": "mine",
    "kind": "classifier",
    "url": "http://gateway",
    "request": {"path": "/v2/models/planted/infer", "body": BODY, "batch": 50},
    "answer": {
        "scores": "outputs[name=probabilities].data",
        "label": "outputs[name=label].data",
    },
    "inputs": "rows.npy",
    "keys": ["file:keys"],
    "classes": 3,
}
EQUATION = ATTACKS["equation-solving"]


def _target(directory: Path, **changes: Any) -> Target:
    (directory / "keys").write_text(f"{KEY}\nxk-two\nxk-three\n")
    np.save(directory / "rows.npy", VICTIM.task)
    (directory / "texts.txt").write_text("\n".join(f"text {at}" for at in range(20)))
    (directory / "target.yaml").write_text(yaml.safe_dump(FILE | changes))
    return load(directory / "target.yaml")


def test_half_of_the_inputs_are_the_judges(tmp_path: Path) -> None:
    victim = _target(tmp_path).victim
    assert isinstance(victim, ClassifierVictim)
    assert victim.task.shape == victim.secret.test.shape == (20, 4)
    assert victim.low.tolist() == VICTIM.task.min(axis=0).tolist()
    assert len(victim.secret.truth) == 0
    dealt = np.concatenate([victim.task, victim.secret.test])
    assert sorted(dealt.tolist()) == sorted(VICTIM.task.tolist()), "each input is one side's alone"


def test_an_embedding_model_has_texts(tmp_path: Path) -> None:
    changes = {"kind": "embedding", "inputs": "texts.txt", "answer": {"vectors": "data[].v"}}
    target = _target(tmp_path, **changes)
    assert isinstance(target.victim, EmbeddingVictim)
    assert len(target.victim.task) == len(target.victim.test) == 10
    assert target.attacks({"equation-solving": EQUATION}) == {}


def test_only_what_the_file_gives_the_means_for_is_tried(tmp_path: Path) -> None:
    attacks = {
        "scores": EQUATION,
        "many": replace(EQUATION, name="many", keys=3, bystanders=1),
        "other": replace(EQUATION, name="other", needs=(Needs.OTHER_DATA,)),
        "members": replace(EQUATION, name="members", needs=(Needs.LABELS, Needs.MEMBERS)),
        "replicas": replace(EQUATION, name="replicas", replicas=2),
        "vectors": replace(EQUATION, name="vectors", kind=Kind.EMBEDDING),
    }
    target = _target(tmp_path)
    assert target.attacks(attacks).keys() == {"equation-solving"}
    assert target.attacks(attacks)["equation-solving"].victims == ("mine",)
    richer = _target(tmp_path, other_inputs="rows.npy")
    assert richer.attacks(attacks).keys() == {"equation-solving", "other"}
    scored = {"scored": replace(EQUATION, name="scored", needs=(Needs.SCORES,))}
    assert _target(tmp_path).attacks(scored).keys() == {"scored"}
    assert _target(tmp_path, answer={"label": "l"}).attacks(scored) == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answer": {}}, "answer: say where scores are, or label, or both"),
        ({"answer": {"label": "a", "labels": ["x"]}}, "answer.labels: there are 3 classes"),
        ({"answer": {"label": "a..b"}}, "'a..b' is no place in JSON"),
        ({"request": {"path": "/", "body": "{{rows}}"}}, "nothing is put into {{rows}}"),
        ({"inputs": "nowhere.npy"}, "no rows of inputs can be read"),
        ({"kind": "embedding"}, "answer: say where vectors are"),
        ({"low": 5.0, "high": 1.0}, "low is above high"),
        ({"keys": ["xk-plain"]}, "write env:NAME or file:PATH"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError) as caught:
        _target(tmp_path, **changes)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


async def test_without_a_reference_its_own_answers_are_what_there_is(tmp_path: Path) -> None:
    target = _target(tmp_path)
    assert target.policies == ("target",)
    trials = plan(
        Wanted(("equation-solving",), (), (Choice("target"),), (1, 2, 3, 4), everywhere=True),
        target.attacks(ATTACKS),
        ("mine",),
    )
    async with target.ground(trials, ATTACKS) as ground:
        dealt = [ground.places["target"].issued[trial.party] for trial in trials]
        assert dealt == [(KEY,), ("xk-two",), ("xk-three",), (KEY,)]
        assert (ground.bare, ground.bare_keys) == ("http://gateway", ("xk-three",))


async def test_the_references_trials_have_its_keys_and_take_none_of_the_gateways(
    tmp_path: Path,
) -> None:
    (tmp_path / "reference").write_text("xk-whole\n")
    reference = {"url": "http://bare", "keys": ["file:reference"]}
    target = _target(tmp_path, reference=reference)
    wanted = Wanted((), (), (Choice("none"), Choice("target")), (1, 2), everywhere=True)
    trials = plan(wanted, target.attacks({"equation-solving": EQUATION}), ("mine",))
    async with target.ground(trials, ATTACKS) as ground:
        issued = {name: place.issued for name, place in ground.places.items()}
        assert (ground.bare, ground.bare_keys) == ("http://bare", ("xk-whole",))
    assert list(issued["target"].values()) == [(KEY,), ("xk-two",)]
    assert list(issued["none"].values()) == [("xk-whole",)] * 2
    for trial in trials:
        assert trial.party in issued[trial.policy]


async def test_it_is_looked_at_and_attacked_with_its_reference_as_baseline(tmp_path: Path) -> None:
    async with serving(honest) as bare, serving(honest, KEY) as gateway:
        target = _target(tmp_path, url=gateway, reference={"url": bare})
        wanted = Wanted((), (), (Choice("none"), Choice("target")), (1,), everywhere=True)
        trials = plan(wanted, {"equation-solving": EQUATION}, ("digits",))
        async with target.ground(trials, ATTACKS) as ground:
            rows = await preflight({"mine": target.victim}, ground.bare, ground.doors())
            assert {row.measure: row.value for row in rows}["policy.changes"] == 0
            place = ground.places["target"]
    assert target.policies == ("none", "target")
    assert place.url == gateway
