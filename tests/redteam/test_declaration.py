"""What policy files declare of training comes to the victims that they lead to."""

from pathlib import Path

import pytest

from extproc.redteam.declaration import declared, promised
from extproc.redteam.firing_range.firing_range import PRIVATE, SHARED, SHIPPED, WATCHED
from extproc.redteam.report.header import Privacy
from extproc.redteam.victims import digits, digits_private, tiny_lm
from extproc.redteam.victims.victim import Victim

VICTIMS: dict[str, Victim] = {
    "digits-dp-8": digits_private.private_8(),
    "digits-mlp": digits.perceptron(),
}


def _of(tmp_path: Path, *routes: str) -> dict[str, Privacy]:
    files = []
    for at, route in enumerate(routes):
        file = tmp_path / f"{at}.yaml"
        file.write_text(f"routes:\n  - {route}\n")
        files.append(file)
    return declared(files, VICTIMS)


def test_the_shipped_policies_declare_what_the_victims_were_trained_with() -> None:
    victims = VICTIMS | {"digits-dp-3": digits_private.private_3(), "tiny-lm": tiny_lm.victim()}
    assert declared([SHIPPED], victims) == {
        "digits-dp-8": Privacy(epsilon=8, delta=1e-5),
        "digits-dp-3": Privacy(epsilon=3, delta=1e-5),
    }


PROMISE = "{epsilon: 2, delta: 1.0e-6}"


def test_one_declaration_is_of_all_models_of_the_route(tmp_path: Path) -> None:
    route = f'{{path: "/v2/models/{{model}}/infer", training_privacy: {PROMISE}}}'
    assert _of(tmp_path, route) == dict.fromkeys(VICTIMS, Privacy(epsilon=2, delta=1e-6))


def test_a_route_of_another_path_declares_nothing_of_them(tmp_path: Path) -> None:
    assert _of(tmp_path, f'{{path: "/v1/{{model}}/infer", training_privacy: {PROMISE}}}') == {}
    assert _of(tmp_path, f'{{path: "/v2/models/{{model}}", training_privacy: {PROMISE}}}') == {}


def test_of_several_the_strictest_is_what_a_model_is_held_to(tmp_path: Path) -> None:
    path = 'path: "/v2/models/{model}/infer"'
    loose = f"{{{path}, training_privacy: {{epsilon: 9, delta: 1.0e-6}}}}"
    found = _of(tmp_path, loose, f"{{{path}, training_privacy: {PROMISE}}}")
    assert {each.epsilon for each in found.values()} == {2}


def test_of_a_list_the_first_that_names_the_model_is_its_own(tmp_path: Path) -> None:
    listed = f"[{{models: [digits-dp-*], epsilon: 5, delta: 0.1}}, {PROMISE}]"
    found = _of(tmp_path, f'{{path: "/v2/models/{{model}}/infer", training_privacy: {listed}}}')
    assert {name: each.epsilon for name, each in found.items()} == {
        "digits-dp-8": 5,
        "digits-mlp": 2,
    }


@pytest.mark.parametrize("text", ["", "routes: 3", "routes: [{path: 3}]", "{", "\x00"])
def test_a_file_that_is_no_policy_declares_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    assert declared([file, tmp_path / "none.yaml"], VICTIMS) == {}


def test_the_policy_that_answers_privately_promises_what_its_budget_says() -> None:
    files = [SHIPPED, SHARED, WATCHED, PRIVATE]
    assert promised(files, ["none", "metered", "private"]) == {
        "private": Privacy(epsilon=8, delta=1e-5)
    }
    assert promised(files, ["none", "metered"]) == {}


BUDGET = "{name: a, count: privacy, per: tenant, epsilon: %s, delta: 1.0e-5}"


def _promised(tmp_path: Path, tier: str, *budgets: str) -> dict[str, Privacy]:
    file = tmp_path / "own.yaml"
    file.write_text(
        f"fidelities: {{t: {tier}}}\n"
        f"policies: {{p: {{fidelity: t, budgets: [{', '.join(budgets)}]}}}}\n"
    )
    return promised([file], ["own.yaml:p"])


def test_of_several_budgets_the_least_is_what_answers_are_held_to(tmp_path: Path) -> None:
    found = _promised(tmp_path, "{votes: []}", BUDGET % 4, BUDGET % 2, "{count: queries, max: 1}")
    assert found == {"own.yaml:p": Privacy(epsilon=2, delta=1e-5)}


def test_a_tier_where_something_else_passes_promises_records_nothing(tmp_path: Path) -> None:
    assert _promised(tmp_path, "{votes: [], label: pass}", BUDGET % 2) == {}
    assert _promised(tmp_path, "{label: [{kind: randomized_response}]}", BUDGET % 2) == {}
    assert _promised(tmp_path, "{votes: []}", "{count: queries, max: 1}") == {}
