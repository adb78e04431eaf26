"""What is kept of one caller: see extproc/detectors/profile.py."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.likelihood import Nats
from extproc.detectors.profile import ASKED, MOST, Decay, Layout, fresh

_DIGESTS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=50)


@dataclass(frozen=True)
class Requests:
    """Counts exchanges and their queries."""

    name: str = "requests"
    size: int = 2

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        counters[0] += weight
        counters[1] += weight * features.queries

    def evidence(self, counters: Counters) -> Nats:
        return counters[..., 1].astype(np.float64)


def _asked() -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    return np.zeros(ASKED, np.uint8)


def _fresh(asked: "np.ndarray[tuple[int], np.dtype[np.uint8]]", *digests: int) -> list[bool]:
    return fresh(asked, np.array(digests, np.uint64))


def test_each_detector_counts_and_judges_its_own_part() -> None:
    layout = Layout([Requests(), Requests("others")])
    counters = np.zeros(layout.size, np.float32)
    layout.count(counters, without_inputs(0.0, "served", queries=3), 0.5)
    assert counters.tolist() == [0.5, 1.5, 0.5, 1.5]
    counters[layout.parts["others"]] = 0
    assert layout.evidence(counters) == {"requests": 1.5, "others": 0.0}


class Total:
    """An onlooker."""

    name = "total"

    def evidence(self, counters: Counters) -> "np.ndarray[Any, np.dtype[np.float64]]":
        return np.asarray(counters.sum(axis=-1), np.float64)


def test_an_onlooker_judges_by_the_counters_of_all_and_has_none() -> None:
    layout = Layout([Requests(), Requests("others")], [Total()])
    assert (layout.size, layout.names) == (4, ("requests", "others", "total"))
    assert layout.parts.keys() == {"requests", "others"}
    told = layout.evidence(np.array([1, 2, 3, 4], np.float32))
    assert told == {"requests": 2.0, "others": 4.0, "total": 10.0}
    assert tuple(told) == layout.names


def test_more_counters_than_a_profile_holds_are_no_layout() -> None:
    most = (MOST - ASKED - 16) // 4
    assert Layout([Requests(size=most)]).size == most
    with pytest.raises(ValueError, match=f"{most + 1} counters are more than a profile of 4096"):
        Layout([Requests(size=most + 1)])


def test_what_is_a_half_life_old_counts_half() -> None:
    decay = Decay(100.0)
    assert decay.factor(100.0) == pytest.approx(0.5)
    assert decay.factor(300.0) == pytest.approx(0.125)


def test_nothing_counts_more_than_what_comes_now() -> None:
    assert Decay(100.0).factor(0.0) == Decay(100.0).factor(-1e9) == 1.0


def test_a_query_is_fresh_once() -> None:
    asked = _asked()
    assert _fresh(asked, 1, 2, 1) == [True, True, False]
    assert _fresh(asked, 3, 2) == [True, False]
    assert _fresh(asked) == []


@given(_DIGESTS, _DIGESTS)
def test_what_was_asked_merges_by_or(left: list[int], right: list[int]) -> None:
    one, other, both = _asked(), _asked(), _asked()
    _fresh(one, *left)
    _fresh(other, *right)
    _fresh(both, *left, *right)
    assert (one | other).tolist() == both.tolist()


def test_at_most_every_second_new_query_passes_for_asked() -> None:
    rng, asked = np.random.default_rng(1), _asked()
    asking = (rng.integers(0, 2**63, 100, dtype=np.uint64) for _ in range(300))
    shares = [np.mean(fresh(asked, some)) for some in asking]
    assert min(shares) > 0.35  # a few of a hundred less than half, by chance
    assert np.mean(shares) > 0.6
