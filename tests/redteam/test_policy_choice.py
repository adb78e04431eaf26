"""The policies that are attacked."""

from pathlib import Path

import pytest

from extproc.redteam.firing_range.firing_range import MARKED, SHARED, SHIPPED, WATCHED
from extproc.redteam.policy_choice import Misuse, choices, shipped


def test_the_baseline_comes_first_and_each_policy_once() -> None:
    found = choices(["coarse", "none", "coarse", "full"])
    assert [choice.label for choice in found] == ["none", "coarse", "full"]


def test_policies_are_shipped_in_four_files_and_asked_for_by_their_names_alone() -> None:
    metered, shared, watched, marked = choices(["metered", "shared", "watched", "marked"])[1:]
    assert (metered.file, metered.name) == (SHIPPED, "metered")
    assert (shared.file, shared.name) == (SHARED, "shared")
    assert (watched.file, watched.name) == (WATCHED, "watched")
    assert (marked.file, marked.name) == (MARKED, "marked")
    assert len(set(shipped())) == len(shipped())


def test_a_policy_that_counts_is_known_by_its_budgets_or_that_it_detects() -> None:
    counting = {choice.label: choice.counts for choice in choices(shipped())}
    assert counting["metered"]
    assert counting["watched"]
    assert not counting["standard"]
    assert not counting["none"]


def test_a_policy_of_ones_own_is_named_within_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("policies: {gold: {models: ['*']}, tin: {models: ['*']}}")
    (choice,) = choices([f"{file}:gold"])[1:]
    assert (choice.label, choice.file, choice.name) == ("mine.yaml:gold", file, "gold")


def test_a_file_alone_is_its_only_policy(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("budgets: []\npolicies: {gold: {models: ['*']}}")
    assert choices([str(file)])[1].label == "mine.yaml:gold"
    assert choices([str(file)])[1].counts, "what counts may stand beside the policies"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "there is no policy 'nonsense': name one of coarse, full"),
        ("{file}", "say which policy"),
        ("{file}:lead", "there is no policy 'lead'; it has gold, tin"),
        ("{empty}", "this is no policy file"),
        ("{broken}", "broken.yaml: "),
        ("{missing}:gold", "No such file"),
    ],
)
def test_what_is_no_policy_is_said_with_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    files = {name: tmp_path / f"{name}.yaml" for name in ("file", "empty", "broken", "missing")}
    files["file"].write_text("policies: {gold: {}, tin: {}}")
    files["empty"].write_text("[]")
    files["broken"].write_text("a: [")
    with pytest.raises(ValueError) as caught:
        choices([text.format(**files)])
    assert said in str(caught.value)


def test_two_files_that_would_be_called_alike_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.yaml").write_text("policies: {gold: {}}")
    with pytest.raises(Misuse, match="rename one of them"):
        choices([str(tmp_path / name / "mine.yaml") for name in ("one", "two")])
