from pathlib import Path

import pytest

from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.goals import DETECTION, FILES, SHIPPED, load, together

PLACE = "victim: digits, policy: coarse, measure: agreement.task"


def written(directory: Path, text: str) -> Path:
    path = directory / "goals.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_goals_load() -> None:
    assert load(SHIPPED).goals
    every = together(map(load, FILES.values()))
    ids = [place.id for place in (*every.goals, *every.not_stopped)]
    assert len(ids) == len(set(ids))
    assert set(load(DETECTION).goals) < set(every.goals)


def test_every_attack_is_held_to_goals_that_there_are() -> None:
    for attack in ATTACKS.values():
        assert attack.apart in FILES
        if attack.apart:
            goals = load(FILES[attack.apart])
            assert attack.name in {goal.attack for goal in goals.goals}


def test_a_goal_and_what_is_not_stopped_are_read(tmp_path: Path) -> None:
    text = f"""
goals:
  - {{id: a, claim: Yes., {PLACE}, attack: knockoff, budget: 100, at_most: 0.9}}
  - {{id: b, claim: No., {PLACE}, relative: {{level: 0.97, times_at_least: 4}}}}
not_stopped:
  - {{id: c, statement: This., {PLACE}}}
"""
    goals = load(written(tmp_path, text))
    assert goals.goals[0].budget == 100
    assert goals.goals[1].relative is not None
    assert goals.goals[1].relative.to == "none"
    assert goals.not_stopped[0].attack == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("goals: [{id: a, claim: b, at_mots: 1, %s}]", "unknown field `at_mots` .*goals.0.*a"),
        ("goals: [{id: a, claim: b, %s}]", "goal 'a' needs one of at_most"),
        ("goals: [{id: a, claim: b, at_most: 1, at_least: 0, %s}]", "goal 'a' needs one of"),
        ("goals: [{id: a, claim: b, relative: {level: 0.9}, %s}]", "one of times_at_least"),
        (
            "goals: [{id: a, claim: b, relative: {times_at_least: 1, times_at_most: 2}, %s}]",
            "goal 'a' needs one of times_at_least",
        ),
        (
            "goals: [{id: a, claim: b, at_most: 1, %s}]\nnot_stopped: [{id: a, statement: c, %s}]",
            "two entries have the id 'a'",
        ),
        ("goals: []\ngoals: []", ":2: 'goals' is written twice"),
        ("goals: [{", ":1: "),
        ("goals: [1]", "goals.0"),
        ("other: 1", "unknown field `other`"),
        ("[]", "Expected `object`"),
        ("goals: [{id: A b, claim: b, at_most: 1, %s}]", "regex"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text.replace("%s", PLACE))
    with pytest.raises(ValueError, match=told) as error:
        load(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"goals\.yaml: .*No such file"):
        load(tmp_path / "goals.yaml")
