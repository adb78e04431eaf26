"""Differential privacy: laws of noise, private choices, and what they cost a promise.

The interface, all of it pure:

    Cost(gdp, epsilon)                     a cost in billionths: mu squared, and epsilon where pure
    Cost + Cost, Cost.times(count), FREE   costs add, whatever comes next
    gaussian_cost(sensitivity_squared, sigma) -> Cost
    pure_cost(epsilon, spread=None) -> Cost
    capacity(epsilon, delta) -> int        billionths of mu squared that a promise has room for
    pure_capacity(epsilon) -> int          billionths of epsilon, where delta is 0
    epsilon_of(cost, delta) -> float       what so much spent amounts to
    delta_of(mu, epsilon) -> float         the closed form behind both
    sigma_of(epsilon, delta, sensitivity) -> float   noise with which one answer keeps a promise

    normal(sigma), laplace(epsilon, steps) -> Table   noise: .draw(secret, count), .distance
    exponential(scale) -> Exponential      .draw(secret, counts)
    respond(secret, epsilon, classes, truth) -> int   randomised response
    exact(value) -> Fraction               a number as a policy writes it

Rule: what is drawn comes of a secret alone (draw.py), costs are whole numbers rounded up,
capacities whole numbers rounded down, and no cost depends on what is protected.
"""

from extproc.privacy.budget import (
    DRAWN,
    LARGEST,
    LEAST_DELTA,
    capacity,
    delta_of,
    epsilon_of,
    pure_capacity,
    sigma_of,
)
from extproc.privacy.choice import Exponential, exponential, respond, truthful
from extproc.privacy.cost import FREE, NANO, Cost, gaussian_cost, mu_of_pure, pure_cost
from extproc.privacy.noise import exact, laplace, normal
from extproc.privacy.table import Table

__all__ = [
    "DRAWN",
    "FREE",
    "LARGEST",
    "LEAST_DELTA",
    "NANO",
    "Cost",
    "Exponential",
    "Table",
    "capacity",
    "delta_of",
    "epsilon_of",
    "exact",
    "exponential",
    "gaussian_cost",
    "laplace",
    "mu_of_pure",
    "normal",
    "pure_capacity",
    "pure_cost",
    "respond",
    "sigma_of",
    "truthful",
]
