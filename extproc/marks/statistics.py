"""What a count of agreements proves: exact tails, intervals and corrections, in binary logarithms.

Rule: no approximation by a normal law, and no p-value that a rate believed to be known has made.
Logarithms to base 2 are exact to 1e-6 up to ten million trials, however small what they stand for:
2^-100,000 is as good a number as 2^-1.

Sources: Fisher, "The Design of Experiments", 1935 (exact test of two shares); Clopper and Pearson,
Biometrika 26, 1934; Holm, Scandinavian Journal of Statistics 6, 1979; Lancaster, JASA 56, 1961
(mid-p).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_NOTHING: Final = -math.inf
"""The log of no chance at all."""
_FAINT: Final = 2.0**-70
"""A term that adds less than this share to a sum ends it: the rest is geometric, or smaller."""
_HALVINGS: Final = 60
"""Of the interval in which a limit of confidence lies."""


@dataclass(frozen=True, slots=True)
class Tail:
    """How likely as many agreements are by chance, in bits: log2 of probabilities, at most 0."""

    at_least: float
    """Of as many, or more: the exact p-value."""
    more: float
    """Of more."""

    @property
    def p(self) -> float:
        """The exact p-value; 0 where float64 has no number so small."""
        return math.exp2(self.at_least)

    @property
    def mid(self) -> float:
        """Half of what is exactly as many, and all that is more: nearly uniform, no level held."""
        return (math.exp2(self.at_least) + math.exp2(self.more)) / 2

    def randomised(self, uniform: float) -> float:
        """A p-value that is uniform where nothing is marked, for a uniform number of its own.

        For tests of this arithmetic alone: nobody is accused by a coin.
        """
        exact, more = math.exp2(self.at_least), math.exp2(self.more)
        return more + uniform * (exact - more)


@dataclass(frozen=True, slots=True)
class Interval:
    """Of a rate, or of a difference of two."""

    low: float
    high: float


def binomial(agreeing: int, trials: int, rate: float) -> Tail:
    """Of so many trials that agree at a rate known beforehand.

    Raise ValueError for counts or a rate that cannot be.
    """
    if not (0 <= agreeing <= trials and 0.0 <= rate <= 1.0):
        raise ValueError("agreements are no more than trials, and a rate is within 0 and 1")
    if rate in {0.0, 1.0}:
        certain = trials if rate else 0
        return Tail(*(0.0 if certain >= count else _NOTHING for count in (agreeing, agreeing + 1)))
    odds = rate / (1.0 - rate)
    logs = (math.log2(rate), math.log1p(-rate) / math.log(2.0))

    def point(count: int) -> float:
        return _choices(trials, count) + count * logs[0] + (trials - count) * logs[1]

    def ratio(count: int) -> float:
        return odds * (trials - count) / (count + 1)

    return _Law(0, trials, point, ratio).tail(agreeing)


def two_sample(marks: tuple[int, int], controls: tuple[int, int]) -> Tail:
    """Fisher's exact test that marks agree no more often than controls; each (agreeing, asked).

    Its level holds whatever the model is that is asked, and whatever the inputs: which of them are
    marked and which are controls is drawn by a secret key, so that for a model which has seen no
    marked answer every division of the agreements among both is as likely as any other (a test by
    randomisation).  No rate has to be known or estimated.  A binomial against the upper limit of
    confidence of the controls' rate holds its level only with the limit's own chance of being wrong
    added, and with trials that are independent and alike, which inputs are not.

    Raise ValueError for counts that cannot be.
    """
    if not (0 <= marks[0] <= marks[1] and 0 <= controls[0] <= controls[1]):
        raise ValueError("agreements are no more than what was asked")
    agreeing, asked = marks[0] + controls[0], marks[1] + controls[1]
    whole = _choices(asked, agreeing)
    bounds = max(0, agreeing - controls[1]), min(agreeing, marks[1])

    def point(count: int) -> float:
        return _choices(marks[1], count) + _choices(controls[1], agreeing - count) - whole

    def ratio(count: int) -> float:
        left = controls[1] - agreeing + count + 1
        return (marks[1] - count) * (agreeing - count) / ((count + 1) * left)

    return _Law(*bounds, point, ratio).tail(marks[0])


def clopper_pearson(agreeing: int, trials: int, confidence: float = 0.95) -> Interval:
    """Of the rate behind so many agreements: holds it at least as often as is said, both sides."""
    wrong = math.log2((1.0 - confidence) / 2)
    low = _limit(agreeing, trials, wrong) if agreeing else 0.0
    high = 1.0 - _limit(trials - agreeing, trials, wrong) if agreeing < trials else 1.0
    return Interval(low, high)


def difference(
    marks: tuple[int, int], controls: tuple[int, int], confidence: float = 0.95
) -> Interval:
    """The effect: by how much the rate of marks exceeds that of controls; each (agreeing, asked).

    Of two intervals that are wrong half as often (Bonferroni), so that both hold together.
    """
    each = (1.0 + confidence) / 2
    of_marks, of_controls = clopper_pearson(*marks, each), clopper_pearson(*controls, each)
    return Interval(of_marks.low - of_controls.high, of_marks.high - of_controls.low)


def holm(bits: Sequence[float]) -> list[float]:
    """log2 of p-values, each corrected for how many there are, in their order.

    Whoever accuses where one is below a level accuses anybody wrongly no more often than that,
    however the p-values hang together.
    """
    corrected, worst = [0.0] * len(bits), _NOTHING
    for rank, index in enumerate(sorted(range(len(bits)), key=bits.__getitem__)):
        worst = max(worst, min(0.0, bits[index] + math.log2(len(bits) - rank)))
        corrected[index] = worst
    return corrected


def _choices(count: int, chosen: int) -> float:
    """log2 of the ways to choose."""
    ways = math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)
    return ways / math.log(2.0)


@dataclass(frozen=True, slots=True)
class _Law:
    """A unimodal law of counts within bounds."""

    least: int
    most: int
    point: Callable[[int], float]
    """log2 of the probability of a count."""
    ratio: Callable[[int], float]
    """Of the next count's probability to this one's; falls as counts grow."""

    def tail(self, count: int) -> Tail:
        return Tail(self._above(count), self._above(count + 1))

    def _above(self, count: int) -> float:
        """log2 of the probability of as many, or more."""
        if count <= self.least:
            return 0.0
        if count > self.most:
            return _NOTHING
        if self.ratio(count - 1) <= 1.0:  # behind the mode: each term is below the one before
            return min(0.0, self.point(count) + math.log2(_sum(self.ratio, count, self.most)))
        before = self.point(count - 1) + math.log2(_sum(self._back, count - 1, self.least))
        return math.log2(max(1.0 - math.exp2(before), math.exp2(self.point(count))))

    def _back(self, count: int) -> float:
        return 1.0 / self.ratio(count - 1)


def _sum(ratio: Callable[[int], float], start: int, end: int) -> float:
    """1 for the first term, and the others by the ratio of each to the one before."""
    total = term = 1.0
    step = 1 if end >= start else -1
    for count in range(start, end, step):
        term *= ratio(count)
        total += term
        if term < _FAINT * total:
            break
    return total


def _limit(agreeing: int, trials: int, wrong: float) -> float:
    """The greatest rate at which as many or more are no likelier than this, in bits."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        rate = (low + high) / 2
        if binomial(agreeing, trials, rate).at_least <= wrong:
            low = rate
        else:
            high = rate
    return low
