"""The command, as a user runs it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extproc.__main__ import main
from tests.inventory.policies import ENVIRON, partner, policy, tier

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Gives the exit code."""
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])

    def run(data: Any, *options: str) -> int:
        file = tmp_path / "policy.yaml"
        file.write_text(json.dumps(data))
        monkeypatch.setattr(sys, "argv", ["extproc", "inventory", str(file), *options])
        return main()

    return run


@pytest.mark.parametrize(
    ("output", "begin"),
    [
        ("table", "policy.yaml: moderate"),
        ("markdown", "# Exposure of `policy.yaml`: moderate"),
        ("html", "<!doctype html>\n<html lang="),
        ("json", '{\n  "policy": "policy.yaml"'),
    ],
)
def test_every_format_is_printed(
    run: Run, capsys: pytest.CaptureFixture[str], output: str, begin: str
) -> None:
    assert run(policy(), "--output", output) == 0
    assert capsys.readouterr().out.startswith(begin)


def test_sizes_are_what_they_are_said_to_be(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ("--classes", "1000", "--dimensions", "8", "--tokens", "3", "--alternatives", "0")
    assert run(tier(text="pass", logprobs="pass"), *sizes, "--output", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["assumed"] == {"classes": 1000, "dimensions": 8, "tokens": 3, "alternatives": 0}
    chat = next(each for each in told["surfaces"] if each["dialect"] == "openai_chat")
    assert chat["bits"]["query"] == 3 * 20 + 3 * 84


@pytest.mark.parametrize(
    ("data", "above", "code"),
    [
        (policy(), "low", 1),
        (policy(), "moderate", 0),
        (partner(limits=[]), "moderate", 1),
        (partner(limits=[]), "high", 0),
        (partner(mode="shadow"), "high", 1),
    ],
)
def test_what_is_worse_than_it_may_be_ends_with_1(
    run: Run, data: Any, above: str, code: int
) -> None:
    assert run(data, "--fail-above", above) == code


def test_of_one_tenant_it_says_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for output in ("table", "markdown", "html"):
        assert run(policy(), "--tenant", "acme", "--output", output) == 0
        assert "as tenant acme has it" in capsys.readouterr().out
    assert run(policy(), "--tenant", "acme", "--output", "json") == 0
    assert json.loads(capsys.readouterr().out)["tenant"] == "acme"
    assert run(policy(), "--tenant", "nobody") == 4


@pytest.mark.parametrize(
    "options", [("--classes", "0"), ("--output", "pdf"), ("--fail-above", "critical")]
)
def test_a_wrong_call_ends_with_2(run: Run, options: tuple[str, ...]) -> None:
    assert run(policy(), *options) == 2


def test_a_policy_that_does_not_load_ends_with_4(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(policy(version=2)) == 4
    assert run(partner(fidelity="nonsense")) == 4
    assert "policy.yaml:1: policies.partner.fidelity" in capsys.readouterr().err


def test_what_a_base_file_binds_is_no_longer_exposed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, bare = tmp_path / "base.yaml", tier(probabilities="pass")
    base.write_text(
        'version: 1\noverrides: {fidelities: {"*": {probabilities: [{kind: label_only}]}}}'
    )
    assert run(bare, "--output", "json") == 0
    before = json.loads(capsys.readouterr().out)["rating"]
    assert run(bare, "--base", str(base), "--output", "json") == 0
    assert (before, json.loads(capsys.readouterr().out)["rating"]) == ("high", "moderate")
