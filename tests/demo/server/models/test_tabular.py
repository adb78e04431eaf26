import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

from extproc.demo.server.models.softmax_regression import SoftmaxRegression
from extproc.demo.server.models.tabular import cancer, split, wine


@pytest.mark.parametrize(
    ("model", "load"), [(cancer(), load_breast_cancer), (wine(), load_wine)], ids=["cancer", "wine"]
)
def test_most_held_out_rows_are_told_rightly(model: SoftmaxRegression, load: object) -> None:
    assert callable(load)
    _, rows, _, labels = split(load)
    assert rows.shape[1] == model.signature.features
    assert (model.score(rows).labels == labels).mean() > 0.94
    assert model.weights.shape == (model.signature.features, model.signature.classes)


def test_features_are_scaled_to_0_and_1() -> None:
    kept, held, _, _ = split(load_wine)
    both = np.concatenate([kept, held])
    np.testing.assert_array_equal(both.min(axis=0), 0)
    np.testing.assert_array_equal(both.max(axis=0), 1)
