"""The policies that overlays mount: they load, under each mode, and say what manifests count on."""

from pathlib import Path

import pytest

from extproc.config import compile_table, load
from tests.k8s.policies import MODES, base, policy
from tests.k8s.rendered import NAMESPACES, one


@pytest.mark.parametrize("name", NAMESPACES)
@pytest.mark.parametrize("mode", MODES)
def test_the_policy_of_every_namespace_loads_under_every_mode(
    name: str, mode: str, tmp_path: Path
) -> None:
    table = compile_table(load(policy(name, tmp_path), base(mode)))
    assert table.rollout.mode == mode


@pytest.mark.parametrize("name", NAMESPACES)
def test_addresses_are_those_that_manifests_ask_at(name: str, tmp_path: Path) -> None:
    config = load(policy(name, tmp_path))
    assert config.listen == "unix:///run/extproc/extproc.sock"
    assert (config.health, config.admin) == ("0.0.0.0:9101", "0.0.0.0:9102")


@pytest.mark.parametrize("name", NAMESPACES)
def test_what_is_mounted_is_what_is_committed(name: str) -> None:
    path = f"namespaces/{name}"
    mounted = one(path, "ConfigMap", "extproc-policy")["data"]
    committed = Path(__file__).parents[2] / "k8s" / path / "policy.yaml"
    assert mounted == {"policy.yaml": committed.read_text()}
    assert one(path, "ConfigMap", "extproc-platform")["data"] == {
        "base.yaml": base("shadow").read_text()
    }
