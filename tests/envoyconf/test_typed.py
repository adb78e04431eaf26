"""Envoy's types are an extra, which whoever lacks it is told of."""

import sys

import pytest

from extproc.envoyconf.typed import typed
from extproc.errors import ConfigError


@pytest.mark.parametrize("package", ["betterproto2", "envoy_data_plane"])
def test_without_the_types_the_remedy_is_named(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    for name in [name for name in sys.modules if name.startswith("extproc.envoyconf.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match=r"pip install 'extproc\[envoy\]'"):
        typed("document")


def test_a_fault_of_ours_is_not_taken_for_a_missing_package() -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        typed("nowhere")
