"""Numbers that ours are held against: constants, none of them measured here.

Source: the project's reference on attacks and defences, sections 2.1 and 2.2, measured with
scikit-learn victims; three seeds.
"""

from typing import Final, NamedTuple


class Distilled(NamedTuple):
    """Section 2.1: KnockoffNets of the adversarial-robustness-toolbox on scikit-learn's digits."""

    victim: str
    mode: str
    """As in `tests.redteam.local.MODES`."""
    similar: tuple[float, float, float, float]
    """With inputs like the model's own, at each of `BUDGETS`."""
    random: tuple[float, float, float, float]
    """With random inputs."""


BUDGETS: Final = (100, 300, 1_000, 3_000)
LOGISTIC, PERCEPTRON, FOREST = "logistic regression", "perceptron", "random forest"
ACCURACIES: Final = {LOGISTIC: 0.968, PERCEPTRON: 0.978, FOREST: 0.976}
"""Of its victims."""
DISTILLED: Final = (
    Distilled(LOGISTIC, "full", (0.942, 0.973, 0.981, 0.992), (0.639, 0.906, 0.927, 0.978)),
    Distilled(LOGISTIC, "2 decimals", (0.942, 0.972, 0.979, 0.991), (0.632, 0.911, 0.929, 0.979)),
    Distilled(
        LOGISTIC, "top 1, 2 decimals", (0.923, 0.960, 0.968, 0.975), (0.366, 0.519, 0.487, 0.654)
    ),
    Distilled(LOGISTIC, "label", (0.901, 0.951, 0.960, 0.971), (0.337, 0.540, 0.494, 0.799)),
    Distilled(PERCEPTRON, "2 decimals", (0.916, 0.967, 0.967, 0.980), (0.336, 0.376, 0.385, 0.398)),
    Distilled(PERCEPTRON, "label", (0.901, 0.959, 0.955, 0.967), (0.276, 0.331, 0.372, 0.396)),
    Distilled(FOREST, "2 decimals", (0.933, 0.956, 0.951, 0.946), (0.767, 0.799, 0.819, 0.817)),
    Distilled(FOREST, "label", (0.902, 0.948, 0.946, 0.938), (0.479, 0.584, 0.554, 0.729)),
)


class Solved(NamedTuple):
    """Section 2.2: equation solving, of one softmax regression."""

    mode: str
    agreement: tuple[tuple[float, float], ...]
    """With real and with random inputs, at each of the victim's budgets."""


CANCER_BUDGETS: Final = (31, 155, 620)
CANCER: Final = (
    Solved("raw", ((1.0, 1.0), (1.0, 1.0), (1.0, 1.0))),
    Solved("4 decimals", ((0.996, 0.968), (1.0, 1.0), (1.0, 1.0))),
    Solved("2 decimals", ((0.993, 0.948), (1.0, 0.996), (1.0, 0.997))),
    Solved("1 decimal", ((0.811, 0.696), (0.993, 0.962), (0.996, 0.983))),
    Solved("label", ((0.923, 0.758), (0.996, 0.908), (0.989, 0.980))),
)
DIGITS_BUDGETS: Final = (65, 130, 325, 1_300)
DIGITS: Final = (
    Solved("raw", ((1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0))),
    Solved("4 decimals", ((0.979, 0.873), (1.0, 0.998), (1.0, 0.999), (1.0, 1.0))),
    Solved("2 decimals", ((0.958, 0.674), (0.994, 0.903), (0.994, 0.948), (0.998, 0.978))),
    Solved("1 decimal", ((0.458, 0.264), (0.877, 0.591), (0.877, 0.729), (0.905, 0.804))),
    Solved("label", ((0.474, 0.340), (0.523, 0.415), (0.820, 0.577), (0.984, 0.834))),
)
