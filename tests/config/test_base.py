from pathlib import Path

import msgspec
import pytest

from extproc.config import load
from extproc.config.base import Base, Parts
from extproc.config.settings import Settings
from extproc.errors import ConfigError
from tests.config.example import TEXT, write
from tests.config.overlaying import bound


def test_every_field_of_a_policy_file_but_its_version_may_stand_there() -> None:
    assert {*Parts.__struct_fields__, "version"} == set(Settings.__struct_fields__)


def test_a_part_need_not_say_what_the_whole_must() -> None:
    given = {"policies": {"*": {"allow": {"tools": False}}}, "credentials": {"keys": {}}}
    assert msgspec.convert({"version": 1, "overrides": given}, Base).version == 1


@pytest.mark.parametrize(
    ("base", "wrong"),
    [
        ("override: {}", ":2: override: unknown field; did you mean 'overrides'?"),
        ("overrides: {version: 1}", ":2: overrides.version: unknown field; write one of"),
        (
            "overrides: {policies: {p: {mod: enforce}}}",
            ":2: overrides.policies.p.mod: unknown field; did you mean 'mode'?",
        ),
        (
            "overrides:\n  policies:\n    '*': {mode: off}",
            ":4: overrides.policies.*.mode: unknown name 'off'; write one of enforce, shadow",
        ),
        (
            "defaults: {policies: {'?': {}}}",
            (
                ":2: defaults.policies.?: malformed name; write a name: at most 64 letters, "
                "digits, '.', '_' and '-'; or *, for all"
            ),
        ),
        (
            "overrides: {routes: {'POST v1': {risk: high}}}",
            (
                ":2: overrides.routes.POST v1: malformed name; write *, a route such as "
                "POST /v1/*, or the name of a dialect such as openai_*"
            ),
        ),
        (
            "overrides: {routes: {'*': {path: /v1/x}}}",
            ":2: overrides.routes.*.path: unknown field; write one of",
        ),
        (
            "overrides: {credentials: {'*': {strenght: 1}}}",
            ":2: overrides.credentials.*.strenght: unknown field; did you mean 'strength'?",
        ),
        (
            "overrides: {fidelities: {'*': {tensors: pass}}}",
            ":2: overrides.fidelities.*.tensors: unknown name; did you mean 'tensor'?",
        ),
        ("defaults: 3", ":2: defaults: is a whole number; write a mapping"),
    ],
)
def test_what_is_wrong_there_is_told_with_its_own_line(
    tmp_path: Path, base: str, wrong: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        bound(tmp_path, base)
    assert str(caught.value).startswith(f"{tmp_path / 'base.yaml'}{wrong}")


@pytest.mark.parametrize("text", ["- 1", "version: 2", "7"])
def test_what_is_no_base_file_is_refused(tmp_path: Path, text: str) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"base\.yaml:1: "):
        load(write(tmp_path, TEXT), base)


def test_a_base_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no\\.yaml: No such file"):
        load(write(tmp_path, TEXT), tmp_path / "no.yaml")
