import numpy as np

from extproc.redteam.benign import evaluation
from tests.redteam.benign.test_customer import met


async def test_all_that_is_refused_counts() -> None:
    found = await met(evaluation.run, lambda _: True)
    assert found.refused_share == 1
    assert not found.seconds


def test_each_input_is_asked_about_once_until_a_class_has_too_few_left() -> None:
    truth = np.repeat([0, 1], [5, 9])
    found = list(evaluation.balanced(truth, np.random.default_rng(1)))
    assert [np.bincount(truth[places]).tolist() for places in found] == [[2, 2]] * 2
    assert len(set(np.concatenate(found).tolist())) == 8
