"""Laws of probability to sixty digits, by other ways than the code's."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
DIGITS = Context(prec=200)


def decimal(value: Fraction) -> Decimal:
    return DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))


def within(end: Fraction) -> Decimal:
    """How likely a number of the unit normal law lies in [0, end]: its power series about 0."""
    with localcontext(DIGITS):
        square, term, total, order = decimal(end) ** 2, decimal(end), Decimal(0), 0
        while abs(term) > Decimal("1e-60"):
            total += term / (2 * order + 1)
            order += 1
            term *= -square / (2 * order)
        return total / (2 * PI).sqrt()


def exponential(value: Fraction) -> Decimal:
    return DIGITS.exp(decimal(value))
