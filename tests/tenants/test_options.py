"""Where the sidecar is, as the command line says it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from typer.testing import CliRunner

from extproc.errors import ConfigError
from extproc.tenants.connection import Refused
from extproc.tenants.options import REFUSED, Asking, Where, asking, connected, where_of

SOCKET = "unix:///run/extproc/control.sock"


def context(before: Where | None) -> typer.Context:
    return cast("typer.Context", SimpleNamespace(obj=before))


def test_what_stands_behind_the_command_counts_before_what_stands_before_it() -> None:
    before = Where(None, None, SOCKET)
    assert where_of(context(before), None, None, "") == before
    assert where_of(context(before), None, None, "unix:///b").control == "unix:///b"
    assert where_of(context(before), Path("p"), None, "") == Where(Path("p"), None, "")
    assert where_of(context(None), None, None, "") == Where(None, None, "")


ASKED = typer.Typer(invoke_without_command=True)
TOLD: list[tuple[str, Asking]] = []


@ASKED.callback()
@asking
def all_of_them(asked: Asking) -> None:
    TOLD.append(("", asked))


@ASKED.command()
@asking
def one(asked: Asking, whom: str, *, twice: bool = False) -> None:
    TOLD.append((whom * (1 + twice), asked))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--control", SOCKET], ("", Asking(Where(None, None, SOCKET), "text"))),
        (["one", "a", "--control", SOCKET], ("a", Asking(Where(None, None, SOCKET), "text"))),
        (
            ["--policy", "p", "one", "a", "--twice"],
            ("aa", Asking(Where(Path("p"), None, ""), "text")),
        ),
        (["one", "--output", "json", "a"], ("a", Asking(Where(None, None, ""), "json"))),
    ],
)
def test_every_command_has_the_options_that_say_where_to_ask(
    words: list[str], told: tuple[str, Asking]
) -> None:
    TOLD.clear()
    done = CliRunner().invoke(ASKED, words, env={"EXTPROC_CONTROL": "", "EXTPROC_BASE": ""})
    assert (done.exit_code, TOLD) == (0, [told]), done.output


def test_who_names_no_sidecar_is_told_how_to() -> None:
    with pytest.raises(ConfigError, match="name its --policy, or its --control socket"):  # noqa: SIM117
        with connected(Where(None, None, "")):
            pass


def test_what_the_sidecar_refuses_ends_with_1_and_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise Refused("not now")

    monkeypatch.setattr("extproc.tenants.connection.Connection", refuse)
    with pytest.raises(typer.Exit) as ended, connected(Where(None, None, SOCKET)):
        pass
    assert ended.value.exit_code == REFUSED == 1
    assert capsys.readouterr().err == "not now\n"
