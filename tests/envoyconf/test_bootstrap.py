import sys

import pytest

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.text import read_yaml, to_yaml
from extproc.errors import ConfigError
from tests.envoyconf import shipped


def test_the_bootstrap_that_ships_is_the_one_that_is_rendered() -> None:
    assert shipped.FILE.read_text(encoding="utf-8") == to_yaml(bootstrap(shipped.GATEWAY)), (
        "write it anew: extproc envoy bootstrap --policy envoy/policy.yaml"
        " --upstream http://127.0.0.1:8000 > envoy/bootstrap.yaml"
    )


def test_what_is_rendered_is_read_back_alike() -> None:
    assert read_yaml(shipped.FILE) == bootstrap(shipped.GATEWAY)


@pytest.mark.parametrize("package", ["betterproto2", "envoy_data_plane"])
def test_without_the_types_the_remedy_is_named(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    for name in [name for name in sys.modules if name.startswith("extproc.envoyconf.")]:
        if name not in {"extproc.envoyconf.bootstrap", "extproc.envoyconf.settings"}:
            monkeypatch.delitem(sys.modules, name)

    with pytest.raises(ConfigError, match=r"pip install 'extproc\[envoy\]'"):
        bootstrap(shipped.GATEWAY)


def test_a_fault_of_ours_is_not_taken_for_a_missing_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "extproc.envoyconf.document", None)

    with pytest.raises(ModuleNotFoundError, match="document"):
        bootstrap(shipped.GATEWAY)
