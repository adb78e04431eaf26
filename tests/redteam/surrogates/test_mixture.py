"""Two copies together."""

from dataclasses import dataclass

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates.mixture import Mixture


@dataclass(frozen=True, slots=True)
class Holding:
    """Holds the same likely of every input."""

    likely: tuple[float, ...]

    def __call__(self, inputs: Floats) -> Ints:
        labels: Ints = self.probabilities(inputs).argmax(axis=1)
        return labels

    def probabilities(self, inputs: Floats) -> Floats:
        return np.tile(self.likely, (len(inputs), 1))


def test_the_mean_of_what_copies_hold_likely_gives_the_label() -> None:
    both = Mixture((Holding((0.5, 0.4, 0.1)), Holding((0.0, 0.4, 0.6))))
    inputs = np.zeros((2, 1))
    np.testing.assert_allclose(both.probabilities(inputs), [[0.25, 0.4, 0.35]] * 2)
    assert both(inputs).tolist() == [1, 1]
