"""How good a copy is: of a model that a test planted, the judge says what arithmetic says."""

from dataclasses import replace

import numpy as np

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.judge import Bench, Judge, summon
from tests.redteam.planted_servers import VICTIM, WEIGHTS, honest


async def _ask(inputs: Floats) -> Answers:
    scores = honest(inputs, "planted")
    return Answers(scores.argmax(axis=1), scores, np.ones(len(inputs), bool))


def _model(inputs: Floats) -> Ints:
    labels: Ints = (inputs @ WEIGHTS).argmax(axis=1)
    return labels


def _nearly(inputs: Floats) -> Ints:
    labels: Ints = (inputs @ WEIGHTS + [0.05, 0, 0]).argmax(axis=1)
    return labels


async def test_the_model_agrees_with_itself_and_a_constant_does_not() -> None:
    judge = await summon(VICTIM, _ask)
    assert {value for _, value in judge.verdict(_model)} == {1.0}
    said = dict(judge.verdict(lambda inputs: np.zeros(len(inputs), np.int64)))
    task = judge.benches[0]
    assert said["agreement.task"] == np.mean(task.labels == 0) < 0.7


async def test_near_a_boundary_a_copy_differs_that_elsewhere_looks_perfect() -> None:
    found = dict((await summon(VICTIM, _ask)).verdict(_nearly))
    assert found["agreement.uniform"] > 0.95
    assert found["agreement.boundary"] < found["agreement.uniform"] - 0.2


async def test_inputs_of_the_judge_are_the_same_each_time_and_a_tenth_of_a_slow_victim() -> None:
    one, two = await summon(VICTIM, _ask), await summon(VICTIM, _ask)
    for mine, theirs in zip(one.benches, two.benches, strict=True):
        assert np.array_equal(mine.inputs, theirs.inputs)
    slow = await summon(replace(VICTIM, slow=True), _ask)
    assert [len(bench.inputs) for bench in one.benches] == [60, 2_000, 1_000]
    assert [len(bench.inputs) for bench in slow.benches] == [60, 200, 100]


def test_accuracy_is_said_where_the_truth_is_known() -> None:
    bench = Bench("task", np.zeros((4, 2)), np.array([0, 0, 1, 1]))
    copy = np.array([0, 1, 1, 1])
    known = dict(Judge((bench,), np.array([1, 1, 1, 0])).verdict(lambda _: copy))
    assert known == {"agreement.task": 0.75, "accuracy": 0.5}
    assert dict(Judge((bench,), np.zeros(0, np.int64)).verdict(lambda _: copy)).keys() == {
        "agreement.task"
    }
