import numpy as np
import pytest

from extproc.demo.server.models import digits as models
from extproc.demo.server.models.classifier import Classifier
from extproc.demo.server.models.digits import split
from extproc.demo.server.models.forest import Forest
from extproc.demo.server.models.softmax_regression import SoftmaxRegression


@pytest.fixture(scope="session")
def three(digits: SoftmaxRegression, forest: Forest) -> dict[str, Classifier]:
    loaded: tuple[Classifier, ...] = (digits, models.perceptron(), forest)
    return {each.signature.name: each for each in loaded}


@pytest.mark.parametrize("name", ["digits", "digits-mlp", "digits-forest"])
def test_most_held_out_digits_are_read_rightly(three: dict[str, Classifier], name: str) -> None:
    _, images, _, labels = split()
    assert (three[name].score(images).labels == labels).mean() > 0.95


@pytest.mark.parametrize("name", ["digits-mlp", "digits-forest"])
def test_two_of_them_know_their_own_images_by_heart(
    three: dict[str, Classifier], name: str
) -> None:
    images, _, labels, _ = split()
    assert (three[name].score(images).labels == labels).mean() > 0.999


@pytest.fixture(scope="module")
def trained() -> dict[str, Classifier]:
    made = (models.plain(), models.private_8(), models.private_3())
    return {each.signature.name: each for each in made}


@pytest.mark.parametrize(
    ("name", "least"), [("digits-plain", 0.93), ("digits-dp-8", 0.93), ("digits-dp-3", 0.91)]
)
def test_private_training_costs_a_few_digits_of_a_hundred(
    trained: dict[str, Classifier], name: str, least: float
) -> None:
    _, images, _, labels = split()
    assert least < (trained[name].score(images).labels == labels).mean() < 0.97


def test_a_wrong_label_is_learnt_by_heart_unless_training_is_private(
    trained: dict[str, Classifier],
) -> None:
    images, _, labels, _ = split()
    told = models.mislabelled(labels)
    wrong = told != labels
    assert wrong.sum() == models.WRONG
    known = {
        name: float(np.mean(model.score(images[wrong]).labels == told[wrong]))
        for name, model in trained.items()
    }
    assert known["digits-plain"] == 1
    assert max(known["digits-dp-8"], known["digits-dp-3"]) < 0.15


def test_confidence_is_to_be_believed(digits: SoftmaxRegression) -> None:
    _, images, _, labels = split()
    scores = digits.score(images)
    confidence, right = scores.probabilities.max(axis=1), scores.labels == labels
    bins = np.digitize(confidence, np.linspace(0, 1, 11)[1:-1])
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    assert sum(gaps) < 0.03  # expected calibration error, Guo et al., 2017


def test_held_out_images_are_not_fitted_on() -> None:
    fitted, held_out, fitted_labels, held_out_labels = split()
    assert (len(fitted), len(held_out)) == (len(fitted_labels), len(held_out_labels)) == (1347, 450)
    assert not {image.tobytes() for image in fitted} & {image.tobytes() for image in held_out}
