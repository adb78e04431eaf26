"""Detection, asked again: see extproc/replay/watching.py."""

from pathlib import Path

import pytest

from extproc.config import compile_detection, compile_table, load
from extproc.errors import Malformed
from extproc.policy import PolicyTable
from extproc.replay.watching import Watching
from extproc.server.detection.calibrated import calibrated
from tests.config.example import ENVIRON
from tests.replay.recorded import ROUTE, START
from tests.replay.watched import KEY, learned, policy

LATER = START.timestamp() + 60


def watching(path: Path) -> tuple[Watching, PolicyTable]:
    config = load(path)
    plan, table = compile_detection(config, ENVIRON), compile_table(config, ENVIRON)
    assert plan is not None
    return Watching(calibrated(plan, KEY), table), table


def steps(found: Watching, table: PolicyTable, now: float = LATER) -> list[str]:
    met = found.steps(table.policies["acme", ROUTE], "acme", "", now)
    return [each.step.name for each in met]


def test_who_asks_what_nobody_asks_is_put_on_steps_and_leaves_them(tmp_path: Path) -> None:
    found, table = watching(policy(tmp_path))
    assert steps(found, table) == []
    for each in learned(50, stranger=True):
        found.learn(each)
    assert steps(found, table) == ["fidelity", "challenge", "deny"]
    assert steps(found, table, LATER + 2 * 3600) == ["deny"]
    assert steps(found, table, LATER + 25 * 3600) == []


def test_who_asks_what_others_ask_stands_on_none(tmp_path: Path) -> None:
    found, table = watching(policy(tmp_path))
    topics = [each for number, each in enumerate(learned(320, stranger=False)) if not number % 8]
    for each in topics:
        found.learn(each)
    assert "deny" not in steps(found, table)


def test_nothing_is_done_to_the_exempt_nor_learned_of_those_who_are_gone(tmp_path: Path) -> None:
    found, table = watching(policy(tmp_path, tenant=" exempt: true,"))
    for each in learned(50, stranger=True):
        found.learn(each)
    for each in learned(1, stranger=True, tenant="nobody"):
        found.learn(each)
    assert steps(found, table) == []


def test_features_that_were_never_made_are_an_error(tmp_path: Path) -> None:
    found, _ = watching(policy(tmp_path))
    (one,) = learned(1, stranger=False)
    one.features["cells"] = [1, 2, 3]  # type: ignore[index]
    with pytest.raises(Malformed):
        found.learn(one)
