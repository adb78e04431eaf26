"""Laws of private choices."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.draw import Draw
from extproc.privacy.choice import Exponential, exponential, respond, truthful
from extproc.privacy.noise import exact
from extproc.privacy.table import Whole
from tests.privacy import laws

ROOT = Draw(b"0123456789abcdef0123456789abcdef")
UNIT = 1 << 128
counts = st.lists(st.integers(0, 400), min_size=2, max_size=6)
scales = st.sampled_from([0.5, 1.0, 3.7, 40.0])


class Fixed(Draw):
    """Gives these octets."""

    def octets(self, count: int) -> bytes:
        assert count == len(self.key)
        return self.key


def shares(mechanism: Exponential, votes: list[int]) -> list[Fraction]:
    weights = mechanism.weights(np.array(votes))
    return [Fraction(weight, sum(weights)) for weight in weights]


@given(counts, scales, st.data())
def test_no_choice_is_likelier_by_more_than_epsilon_after_one_vote_moved(
    votes: list[int], scale: float, data: st.DataObject
) -> None:
    """Exactly, by the weights' own numbers, however far behind a class is; and all that a class can
    win over another is within that too.
    """
    gains = data.draw(st.integers(0, len(votes) - 1))
    loses = data.draw(st.integers(0, len(votes) - 1).filter(lambda at: at != gains))
    votes[loses] += 1  # it has one to lose
    moved = list(votes)
    moved[loses] -= 1
    moved[gains] += 1
    one, other = (shares(exponential(exact(scale)), each) for each in (votes, moved))
    ratios = [laws.decimal(first / second) for first, second in zip(one, other, strict=True)]
    most = laws.exponential(2 / exact(scale))
    assert max(ratios) <= most
    assert 1 / min(ratios) <= most
    assert max(ratios) / min(ratios) <= most


def test_classes_are_chosen_in_proportion_to_their_exponentials() -> None:
    votes, scale = [30, 26, 28, 0], exact(2.0)
    weights = [laws.exponential((vote - 30) / scale) for vote in votes]
    total = sum(weights)
    for share, weight in zip(shares(exponential(scale), votes), weights, strict=True):
        assert laws.decimal(share) == pytest.approx(weight / total, rel=Decimal("1e-9"))


def test_the_class_is_the_one_that_a_uniform_number_points_at() -> None:
    mechanism, votes = exponential(exact(2.0)), np.array([5, 6, 5])
    weights = mechanism.weights(votes)
    total, start = sum(weights), 0
    for at, weight in enumerate(weights):
        for place in (start, start + weight - 1):
            uniform = -(-(place << 512) // total)  # the least that points there
            octets = uniform.to_bytes(64, "little")
            assert mechanism.draw(Fixed(octets), votes) == at
        start += weight


def chosen(votes: Whole, draws: int) -> Counter[int]:
    mechanism = exponential(exact(2.0))
    return Counter(mechanism.draw(ROOT.child(b"%d" % each), votes) for each in range(draws))


def test_what_is_chosen_follows_its_odds() -> None:
    votes, draws = [30, 26, 28, 0], 20_000
    seen, odds = chosen(np.array(votes), draws), shares(exponential(exact(2.0)), votes)
    chi2 = sum(
        (seen[at] - float(odds[at]) * draws) ** 2 / (float(odds[at]) * draws) for at in range(3)
    )
    assert chi2 < 13.8  # once in 1,000, with two degrees of freedom
    assert seen[3] < 5


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
@pytest.mark.parametrize("epsilon", [0.01, 1.0, 4.0, 20.0])
def test_the_truth_is_told_no_oftener_than_epsilon_allows(epsilon: float, classes: int) -> None:
    truth = truthful(exact(epsilon), classes)
    ratio = laws.decimal(Fraction(truth, UNIT - truth) * (classes - 1))
    most = laws.exponential(exact(epsilon))
    assert most * (1 - Decimal("1e-9")) < ratio <= most


def test_every_other_class_is_as_likely() -> None:
    lies = Counter[int]()
    epsilon, draws = exact(0.5), 20_000
    for each in range(draws):
        lies[respond(ROOT.child(b"%d" % each), epsilon, 5, 2)] += 1
    truth = truthful(epsilon, 5) / UNIT
    odds = {at: truth if at == 2 else (1 - truth) / 4 for at in range(5)}
    chi2 = sum((lies[at] - odds[at] * draws) ** 2 / (odds[at] * draws) for at in range(5))
    assert chi2 < 18.5  # once in 1,000, with four degrees of freedom


@pytest.mark.parametrize(("truth", "others"), [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])])
def test_a_lie_is_never_the_truth(truth: int, others: list[int]) -> None:
    lie = (UNIT - 1).to_bytes(16, "little")
    ends = [Fixed(lie + end.to_bytes(16, "little")) for end in (0, UNIT - 1)]
    assert [respond(end, exact(1.0), 3, truth) for end in ends] == others
    assert respond(Fixed(bytes(32)), exact(1.0), 3, truth) == truth
