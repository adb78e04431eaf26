"""Laws of Rotate."""

import math
import re

import numpy as np
import pytest

from extproc.errors import UpstreamError
from extproc.mutators.quantize import Quantize
from extproc.mutators.rotate import Rotate, fingerprint, space_id
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import frozen, gaussian, source


def shown(values: Vector, question: str = "what?", **more: str) -> Vector:
    result = Rotate().apply(Embedding(values), source(question, **more))
    assert isinstance(result, Embedding)
    return result.values


def test_rankings_are_exact() -> None:
    corpus = [gaussian(seed, 384) for seed in range(200)]
    before, query = np.array(corpus), gaussian(1000, 384)
    after = np.array([shown(values, f"text {n}") for n, values in enumerate(corpus)])
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-12)
    ranked = np.argsort(after @ shown(query, "query"))
    assert ranked.tolist() == np.argsort(before @ query).tolist()


def test_what_was_asked_and_the_tier_change_nothing() -> None:
    """Else the vectors of one index would lie in as many spaces."""
    values = gaussian(1, 100)
    assert shown(values, "a").tobytes() == shown(values, "b", tier="coarse").tobytes()


def test_a_tenant_has_a_space_of_its_own() -> None:
    values = gaussian(1, 384)
    assert abs(float(shown(values) @ shown(values, tenant="beta"))) < 0.3
    assert abs(float(shown(values) @ values)) < 0.3


def test_eight_bits_behind_a_rotation_keep_what_they_keep_before_it() -> None:
    values = gaussian(1, 384)
    coarse = Quantize(bits=8).apply(Embedding(shown(values)))
    assert isinstance(coarse, Embedding)
    assert float(coarse.values @ shown(values)) > 0.999


def test_a_space_has_a_name_that_changes_with_it() -> None:
    name = space_id(source().space)
    assert re.fullmatch("[0-9a-f]{16}", name)
    assert space_id(source("another?", tier="coarse").space) == name
    assert space_id(source(tenant="beta").space) != name


def test_a_name_of_a_space_is_no_part_of_what_is_drawn_in_it() -> None:
    secret = source().space.child(b"rotate")
    drawn = [secret.key.hex(), *(secret.child(b"%d" % size).key.hex() for size in range(5000))]
    assert not [key for key in drawn if key.startswith(space_id(source().space))]


def test_nothing_stays_nothing() -> None:
    assert not shown(frozen([0.0, 0.0, 0.0])).any()
    assert shown(frozen([])).shape == (0,)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        shown(frozen([1.0, value]))


def test_a_copy_of_a_space_carries_its_fingerprint_and_no_others_does() -> None:
    """Planted: a fingerprint of the stages without the signs is anybody's."""
    raw = np.array([gaussian(seed, 100) for seed in range(60)])
    mine, theirs = (np.array([shown(row, tenant=name) for row in raw]) for name in ("acme", "beta"))
    space = source().space
    assert fingerprint(space, raw, mine) < -60
    assert fingerprint(space, raw, mine[:, :40].round(2)) < -20
    assert fingerprint(space, raw, theirs) > -10
    assert fingerprint(space, raw, raw) > -10
