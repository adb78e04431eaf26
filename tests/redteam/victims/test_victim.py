from dataclasses import replace

import numpy as np
import pytest

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.judge import BOUNDARY, UNIFORM, summon
from extproc.redteam.victims import tabular


async def _ask(inputs: Floats) -> Answers:
    labels = (inputs[:, 0] > inputs[:, 1]).astype(np.int64)
    return Answers(labels, None, np.ones(len(inputs), bool))


@pytest.mark.parametrize(("slow", "part"), [(False, 1), (True, 10)])
async def test_a_slow_victim_is_judged_on_a_tenth_of_the_inputs(slow: bool, part: int) -> None:
    victim = replace(tabular.cancer(), slow=slow)
    task, uniform, boundary = (await summon(victim, _ask)).benches
    assert len(task.inputs) == len(victim.secret.test)
    assert len(uniform.inputs) == UNIFORM // part
    assert len(boundary.inputs) == BOUNDARY // part
