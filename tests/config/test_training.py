"""What is declared of training is read strictly; whether it is so, nobody here can know."""

from pathlib import Path

import pytest

from extproc.config.training import Privacy, stated
from extproc.errors import ConfigError
from tests.config.example import changed, compiled, loaded

ROUTE = "dialect: openai_embeddings"


def _file(declared: str) -> str:
    return changed((ROUTE, f"{ROUTE}, training_privacy: {declared}"))


def _stated(folder: Path, declared: str) -> tuple[Privacy, ...]:
    return stated(loaded(folder, _file(declared)).settings.routes[0].training_privacy)


def test_a_route_declares_nothing_unless_it_says_so(tmp_path: Path) -> None:
    routes = loaded(tmp_path).settings.routes
    assert {stated(route.training_privacy) for route in routes} == {()}


def test_one_declaration_is_of_all_models_and_a_list_of_some_each(tmp_path: Path) -> None:
    one = Privacy(8.0, 1e-5)
    assert _stated(tmp_path, "{epsilon: 8, delta: 1.0e-5}") == (one,)
    assert one.models == ("*",)
    listed = "[{models: [a-*], epsilon: 3, delta: 1.0e-6}, {epsilon: 8, delta: 1.0e-5}]"
    assert _stated(tmp_path, listed) == (Privacy(3.0, 1e-6, ("a-*",)), one)


def test_it_changes_nothing_of_what_is_served(tmp_path: Path) -> None:
    declared = compiled(tmp_path, _file("{epsilon: 8, delta: 1.0e-5}"))
    assert declared.routes == compiled(tmp_path).routes


@pytest.mark.parametrize(
    "declared",
    [
        "{epsilon: 0, delta: 1.0e-5}",
        "{epsilon: -1, delta: 1.0e-5}",
        "{epsilon: .inf, delta: 1.0e-5}",
        "{epsilon: .nan, delta: 1.0e-5}",
        "{epsilon: 1001, delta: 1.0e-5}",
        "{epsilon: 8, delta: 0}",
        "{epsilon: 8, delta: 1}",
        "{epsilon: 8, delta: .nan}",
        "{epsilon: 8}",
        "{delta: 1.0e-5}",
        "{epsilon: eight, delta: 1.0e-5}",
        "{epsilon: 8, delta: 1.0e-5, models: []}",
        "{epsilon: 8, delta: 1.0e-5, checked: true}",
        "[]",
        "true",
    ],
)
def test_what_promises_nothing_or_cannot_be_is_an_error(tmp_path: Path, declared: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.yaml:\d+: .*training_privacy"):
        _stated(tmp_path, declared)
