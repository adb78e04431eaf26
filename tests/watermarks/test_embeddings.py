"""Copies that the red team steals of a marked model are told to be copies, and no others are.

The quick version of ``python -m tests.watermarks.embeddings``.
"""

import math
from functools import cache

import numpy as np
import pytest

from extproc.mutators import fingerprint
from extproc.redteam.laundering.maps import LinearCopy, fine_tuned, pruned
from extproc.redteam.laundering.vectors import Embed, Means, cut, rounded, turned
from extproc.redteam.surrogates import ridge
from tests.watermarks.embeddings import BITS, CUT, ROTATED, Measure, behind
from tests.watermarks.served import MARKED, Served, found, space
from tests.watermarks.world import bags, unit

MILLIONTH = math.log2(1e-6)
ASKED = 600
CHAINS = {
    "marked": MARKED,
    "rotated and quantized": behind(ROTATED, BITS[8]),
    "cut": behind("{kind: truncate, dimensions: 96}", BITS[8], strength=0.05),
}


@cache
def measure() -> Measure:
    return Measure(bags(2 * ASKED), ASKED)


@cache
def stolen(chain: str = MARKED) -> dict[str, LinearCopy]:
    return measure().stolen(chain)


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_what_the_red_team_steals_is_identified(chain: str) -> None:
    """Planted: a key that is ignored, a sign turned round, moves that are drawn from the tier or
    from the octets of the input, each fail here or in test_mark_positions.py.
    """
    here = measure()
    for copy in stolen(chain).values():
        vectors = copy(here.asked)
        assert found(here.raw, vectors).bits < MILLIONTH
        assert found(here.raw, vectors, "beta").bits > MILLIONTH / 2


def test_a_copy_is_identified_whatever_was_done_to_it() -> None:
    here = measure()
    copy, more = stolen()["ridge"], list(here.world.texts[ASKED:])
    means, groups = Means(more, np.random.default_rng(0)), np.arange(ASKED) % 20
    kept: list[Embed] = [launder(copy, means) for launder in (rounded, cut, turned)]
    kept += [pruned(copy, 0.5), fine_tuned(copy, more, groups, 0.1)]
    for laundered in kept:
        assert found(here.raw, laundered(here.asked)).bits < MILLIONTH


def test_two_who_compare_answers_are_both_identified_and_nobody_else() -> None:
    here = measure()
    both = [Served(tenant=tenant)(here.raw, 0, here.asked) for tenant in ("acme", "beta")]
    vectors = unit(np.mean(both, axis=0))
    fitted = ridge.chosen(here.world.public(here.asked), vectors)
    suspect = fitted(here.world.public(here.asked))
    bits = [found(here.raw, suspect, tenant).bits for tenant in ("acme", "beta", "gamma")]
    assert max(bits[:2]) < MILLIONTH
    assert bits[2] > MILLIONTH / 2


def test_no_clean_model_is_accused_and_their_p_values_are_uniform() -> None:
    lines = list(measure().clean(30, 60))
    least = float(lines[0].rpartition("^")[2])
    assert least > math.log2(1e-3)
    assert all(float(line.split()[4].rstrip(",")) < 1.95 for line in lines[2:])


def test_a_rotation_is_a_fingerprint_of_a_copy_that_was_not_rotated_again() -> None:
    here = measure()
    copy = stolen(CHAINS["rotated and quantized"])["ridge"]
    vectors = copy(here.asked)
    assert fingerprint(space("acme"), here.raw, vectors) < MILLIONTH
    assert fingerprint(space("beta"), here.raw, vectors) > MILLIONTH / 2
    again = turned(copy, Means(here.others, np.random.default_rng(0)))(here.asked)
    assert fingerprint(space("acme"), here.raw, again) > MILLIONTH / 2


def test_marks_cost_a_hundredth_of_a_cosine_at_most() -> None:
    here = measure()
    served = Served()(here.raw, 0, here.asked)
    assert float((served * here.raw).sum(axis=1).min()) > 0.9995 - 1e-4
    cut_short = Served(behind(CUT))(here.raw, 0, here.asked)
    assert cut_short.shape[1] <= 128
