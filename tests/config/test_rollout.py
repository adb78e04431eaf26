"""How far a file is in force: what it says, and whom it holds for then."""

from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.padding import Buckets
from extproc.policy import PolicyTable
from extproc.shaping import UNSHAPED
from tests.config.example import TEXT, compiled

SHAPED = TEXT + "length: {buckets: pow2}\n"
HALF = "rollout: {percent: 50}\n"


def on_trial(table: PolicyTable) -> set[str]:
    return {tenant for (tenant, _), policy in table.policies.items() if policy.shadow}


def test_it_is_in_force_for_all_unless_told_otherwise(tmp_path: Path) -> None:
    table = compiled(tmp_path)
    assert (table.rollout.mode, table.rollout.percent) == ("enforce", 100)
    assert on_trial(table) == set()


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_off_and_in_the_shadow_every_policy_is_on_trial_and_nothing_waits(
    tmp_path: Path, mode: str
) -> None:
    table = compiled(tmp_path, SHAPED + f"rollout: {{mode: {mode}}}\n")
    assert on_trial(table) == {"acme", "beta"}
    assert set(table.shapings.values()) == {UNSHAPED}


def test_a_share_of_tenants_is_met_in_earnest_and_no_stranger(tmp_path: Path) -> None:
    parts = {}
    for percent in (1, 25, 50, 75, 99, 100):
        table = compiled(tmp_path, SHAPED + f"rollout: {{percent: {percent}}}\n")
        parts[percent] = met = {"acme", "beta"} - on_trial(table)
        shaped = {name for name, shaping in table.shapings.items() if shaping != UNSHAPED}
        assert shaped == met | ({""} if percent == 100 else set())
    assert parts[100] == {"acme", "beta"}
    assert parts[1] <= parts[25] <= parts[50] <= parts[75] <= parts[99]


def test_a_policy_on_trial_stays_so_where_the_file_is_in_force(tmp_path: Path) -> None:
    text = SHAPED.replace("fidelity: full}", "fidelity: full, mode: shadow}")
    table = compiled(tmp_path, text)
    assert on_trial(table) == {"beta"}
    assert table.shapings == {"": table.shapings[""], "acme": table.shapings[""], "beta": UNSHAPED}
    assert table.shapings[""].buckets == Buckets()


def test_another_share_is_another_table(tmp_path: Path) -> None:
    texts = (TEXT, TEXT + HALF, TEXT + "rollout: {mode: shadow}\n")
    assert len({compiled(tmp_path, text).version for text in texts}) == len(texts)


@pytest.mark.parametrize("rollout", ["percent: 0", "percent: 101", "percent: 1.5", "mode: on"])
def test_what_is_no_share_and_no_mode_is_refused(tmp_path: Path, rollout: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.yaml:\d+: rollout"):
        compiled(tmp_path, TEXT + f"rollout: {{{rollout}}}\n")
