"""What training under a recipe promises: epsilon at a delta, by the package `dp-accounting`.

Rule: it is counted for what `dp_sgd` does and for nothing else: records drawn each by itself, noise
on every step, two sets of records being neighbours where one has a record more.  The accountant
composes privacy loss distributions (Koskela et al., 2020, "Computing Tight Differential Privacy
Guarantees Using FFT"; Doroshenko et al., 2022, "Connect the Dots").  It is asked when a recipe is
made, and never to train or to serve.
"""

from typing import Any

from extproc.demo.server.models.dp_sgd import Recipe


def epsilon(recipe: Recipe, delta: float) -> float:
    """The least epsilon that is promised at ``delta``; infinite without noise.

    Raise ModuleNotFoundError where `dp-accounting` is missing.
    """
    if recipe.noise == 0:
        return float("inf")
    accountant = _accountant()
    accountant.compose(_step(recipe.rate, recipe.noise), recipe.steps)
    return float(accountant.get_epsilon(delta))


def _accountant() -> Any:
    from dp_accounting import NeighboringRelation
    from dp_accounting.pld import PLDAccountant

    return PLDAccountant(NeighboringRelation.ADD_OR_REMOVE_ONE)


def _step(rate: float, noise: float) -> Any:
    from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent

    return PoissonSampledDpEvent(rate, GaussianDpEvent(noise))
