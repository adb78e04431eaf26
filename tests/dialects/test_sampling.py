from typing import Any

import pytest

from extproc.dialects.gate import TAKEN, Changes, Rule, Terms
from extproc.dialects.sampling import COLDEST, CUT, SEED, TEMPERATURE


@pytest.mark.parametrize("rule", [SEED, TEMPERATURE, CUT])
@pytest.mark.parametrize("value", [0, 0.01, 7, None, "x"])
def test_a_tenant_that_may_repeat_steers_as_it_likes(rule: Rule, value: Any) -> None:
    changes = Changes(Terms(()))
    assert rule.admit(value, changes, "x") is value
    assert not changes.counts


@pytest.mark.parametrize(
    ("rule", "value", "left"),
    [
        (SEED, 7, TAKEN),
        (CUT, 1, TAKEN),
        (CUT, 0.5, TAKEN),
        (TEMPERATURE, 0, COLDEST),
        (TEMPERATURE, -1.0, COLDEST),
    ],
)
def test_one_that_may_not_gets_no_draw_twice(rule: Rule, value: Any, left: Any) -> None:
    changes = Changes(Terms((), repeatable=False))
    assert rule.admit(value, changes, "x") == left
    assert changes.counts == {"x": 1}


@pytest.mark.parametrize("warm", [COLDEST, 0.7, 2, None])
def test_a_warm_answer_may_be_asked_for(warm: float | None) -> None:
    changes = Changes(Terms((), repeatable=False))
    assert TEMPERATURE.admit(warm, changes, "x") is warm
    assert not changes.counts
