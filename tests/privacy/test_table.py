"""Laws of tables."""

from collections import Counter
from itertools import accumulate, pairwise

import numpy as np
import pytest

from extproc.draw import Draw
from extproc.privacy.noise import exact, normal
from extproc.privacy.table import Table

ROOT = Draw(b"0123456789abcdef0123456789abcdef")
UNIT = 1 << 128


class Fixed(Draw):
    """Gives these octets."""

    def octets(self, count: int) -> bytes:
        assert count == len(self.key)
        return self.key


def told(table: Table, *uniforms: int) -> list[int]:
    octets = b"".join(uniform.to_bytes(16, "little") for uniform in uniforms)
    return [int(each) for each in table.draw(Fixed(octets), len(uniforms))]


def test_the_weights_are_those_of_the_tails_on_both_sides() -> None:
    table = Table([UNIT // 4, UNIT // 8])
    assert table.weights() == [
        UNIT // 8,
        UNIT // 8,
        UNIT // 2,
        UNIT // 8,
        UNIT // 8,
    ]
    assert table.most == 2
    assert table.distance == 5 * 2.0**-128


@pytest.mark.parametrize("tails", [[UNIT // 4, UNIT // 8], [(1 << 64) + 7, 5], [3, 2, 1, 0, 0]])
def test_what_is_drawn_is_decided_by_all_128_bits(tails: list[int]) -> None:
    """Even where the first 64 of them do not tell."""
    table = Table(tails)
    places = accumulate([0, *table.weights()])
    for value, (start, end) in enumerate(pairwise(places)):
        if end > start:
            assert told(table, start, end - 1) == [value - table.most] * 2


def test_no_tails_are_no_noise() -> None:
    table = Table([0])
    assert told(table, 0, UNIT - 1) == [0, 0]


def test_the_same_secret_draws_the_same_on_every_machine() -> None:
    table = normal(exact(40.0))
    assert table.draw(ROOT, 6).tolist() == [-41, -23, 5, 5, 17, 14]
    assert table.draw(ROOT, 100)[:6].tolist() == table.draw(ROOT, 6).tolist()


@pytest.mark.parametrize("sigma", [0.5, 3.0, 40.0])
def test_what_is_drawn_follows_the_table(sigma: float) -> None:
    """Chi-square over all numbers that are drawn twenty times or more."""
    table, draws = normal(exact(sigma)), 200_000
    parts = [table.draw(ROOT.child(b"%d" % each), 1000) for each in range(draws // 1000)]
    seen = Counter(np.concatenate(parts).tolist())
    weights = dict(zip(range(-table.most, table.most + 1), table.weights(), strict=True))
    expected = {value: weight / UNIT * draws for value, weight in weights.items()}
    bins = [value for value, often in expected.items() if often >= 20]
    chi2 = sum((seen[each] - expected[each]) ** 2 / expected[each] for each in bins)
    freedom = len(bins)
    assert abs(chi2 - freedom) < 4 * (2 * freedom) ** 0.5
    assert sum(seen[each] for each in bins) > 0.99 * draws
