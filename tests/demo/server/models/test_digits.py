import numpy as np

from extproc.demo.server.models.digits import Digits, split


def test_most_held_out_digits_are_read_rightly(digits: Digits) -> None:
    _, images, _, labels = split()
    assert (digits.score(images).labels == labels).mean() > 0.95


def test_confidence_is_to_be_believed(digits: Digits) -> None:
    _, images, _, labels = split()
    scores = digits.score(images)
    confidence, right = scores.probabilities.max(axis=1), scores.labels == labels
    bins = np.digitize(confidence, np.linspace(0, 1, 11)[1:-1])
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    assert sum(gaps) < 0.03  # expected calibration error, Guo et al., 2017


def test_probabilities_are_the_softmax_of_the_logits(digits: Digits) -> None:
    _, images, _, _ = split()
    scores = digits.score(images)
    raised = np.exp(scores.logits)
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1, rtol=0, atol=1e-14)
    np.testing.assert_allclose(scores.probabilities, raised / raised.sum(axis=1, keepdims=True))


def test_every_start_yields_the_same_model(digits: Digits) -> None:
    again = Digits.fit()
    np.testing.assert_array_equal(again.weights, digits.weights)
    np.testing.assert_array_equal(again.bias, digits.bias)


def test_held_out_images_are_not_fitted_on() -> None:
    fitted, held_out, fitted_labels, held_out_labels = split()
    assert (len(fitted), len(held_out)) == (len(fitted_labels), len(held_out_labels)) == (1347, 450)
    assert not {image.tobytes() for image in fitted} & {image.tobytes() for image in held_out}
