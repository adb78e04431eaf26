"""Learning a reference: see extproc/detectors/fitting.py."""

from typing import Any

import numpy as np
import pytest

from extproc.detectors.fitting import LEAST, _components, crowds, fit
from extproc.detectors.reference import Reference, check, encode
from extproc.detectors.sketch import Sketcher
from extproc.detectors.space import unit
from extproc.errors import OperatorError
from tests.detectors.questions import KEY, asked, questions, reference


def _fitted(inputs: list[Any], seed: int = 0) -> Reference:
    found = fit(inputs, KEY, np.random.default_rng(seed))
    check(found)
    return found


def _rows(count: int, seed: int, *, spread: float = 1.0) -> Any:
    """Five numbers that hang together, of scales that differ."""
    rng = np.random.default_rng(seed)
    hidden = spread * rng.standard_normal((count, 2))
    mixed = hidden @ np.array([[1, 2, 0, 1, 0], [0, 1, 1, -1, 0]])
    return (mixed + 0.1 * rng.standard_normal((count, 5))) * [1, 1000, 1, 0.01, 0] + [0, 5, 0, 0, 3]


def _surprises(found: Reference, inputs: list[Any]) -> "np.ndarray[Any, np.dtype[np.float32]]":
    sketcher = Sketcher(found, KEY)
    return np.concatenate([each.surprises for each in sketcher.features(list(map(asked, inputs)))])


def test_the_same_queries_and_generator_make_the_same_reference() -> None:
    inputs = questions(LEAST, 2)
    made = encode(_fitted(inputs))
    assert made == encode(_fitted(inputs))
    assert made != encode(_fitted(inputs, seed=1))


def test_later_queries_of_its_kind_surprise_as_chance_has_it() -> None:
    """-ln of a uniform p-value has the mean 1."""
    assert _surprises(reference(), questions(800, 3)).mean() == pytest.approx(1, abs=0.15)


def test_queries_of_another_kind_surprise() -> None:
    assert np.median(_surprises(reference(), questions(200, 3, stranger=True))) > 4


def test_what_is_asked_again_counts_once_and_is_no_rank() -> None:
    once = questions(LEAST, 2)
    looks = [each.upper() + "?" for each in once]
    assert encode(_fitted(once + looks)) == encode(_fitted(once))


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        questions(LEAST - 1, 2),
        [*questions(LEAST - 1, 2), b"file", None, [1.0]],
        ["again"] * 5000,
        [[float(at)] * (1 + at % 20) for at in range(2000)],
    ],
)
def test_too_little_is_said_to_be(inputs: list[Any]) -> None:
    with pytest.raises(OperatorError, match=f"give {LEAST} different queries at least"):
        _fitted(inputs)


def test_rows_of_numbers_are_a_domain_by_their_length() -> None:
    found = _fitted(_rows(700, 0).tolist() + questions(LEAST, 2) + [[1.0, 2.0]])
    assert list(found.domains) == ["numbers/5", "text"]
    assert sum(map(len, found.shares)) <= 64


def test_numbers_far_off_surprise_in_direction_and_in_size() -> None:
    found = _fitted(_rows(900, 0).tolist())
    usual = _surprises(found, _rows(500, 1).tolist())
    assert usual.mean() == pytest.approx(1, abs=0.2)
    rng = np.random.default_rng(2)
    rows = _rows(500, 1)
    unrelated = rng.permuted(rows, axis=0)
    assert _surprises(found, unrelated.tolist()).mean() > 2.5
    assert _surprises(found, (_rows(500, 3, spread=6)).tolist()).mean() > 2.5


def test_components_of_few_rows_are_those_of_many() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 30)) * np.arange(1, 31)
    rows -= rows.mean(0)
    for some in (rows, np.hstack([rows, np.zeros((40, 20))])):
        variances, vectors = _components(some)
        assert np.allclose(vectors.T @ vectors, np.eye(30), atol=1e-8)
        assert np.allclose(some @ vectors @ vectors.T, some)
        assert np.allclose((some @ vectors).var(0), variances)


def _noise(count: int) -> list[str]:
    letters = np.random.default_rng(count).integers(97, 123, (count, 6, 6)).astype(np.uint8)
    return [" ".join(bytes(word).decode() for word in text) for text in letters]


def test_a_few_odd_queries_do_not_make_all_odd_ones_usual() -> None:
    """One in a hundred, in a reference of few and of one kind."""
    mixed = questions(1400, 1)
    mixed[:28:2] = _noise(14)
    assert _surprises(_fitted(mixed), _noise(200)).mean() > 1.4


def test_crowds_are_a_part_of_the_nearness_to_others() -> None:
    sketches = unit(np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32))
    cosines = sketches @ sketches.T
    np.fill_diagonal(cosines, -1)
    assert np.allclose(crowds(sketches), 0.3 * np.sort(cosines, 1)[:, -3:].mean(1), atol=1e-6)


def test_many_more_queries_than_are_kept_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extproc.detectors.fitting._POINTS", 200)
    monkeypatch.setattr("extproc.detectors.fitting._RANKS", 100)
    [domain] = _fitted(questions(LEAST, 2)).domains.values()
    assert sum(domain.sizes) == 200
    assert len(domain.ranks) == 4 * 100
