"""Lives: counted exchange by exchange, as the sidecar counts them."""

from collections.abc import Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from extproc.calibration.lives import Watch
from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.likelihood import Nats
from extproc.detectors.profile import Decay, Layout

HOUR = 3600.0


class Asked:
    """Counts queries, and takes their number for evidence."""

    name = "asked"
    size = 1

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        counters[0] += weight * features.sampled

    def evidence(self, counters: Counters) -> Nats:
        return np.where(counters[..., 0] > 0, counters[..., 0], -np.inf)


def _exchanges(digests: list[int], pause: float = 0.0) -> Iterator[Features]:
    for number, digest in enumerate(digests):
        one = {"digests": np.array([digest], np.uint64), "cells": np.zeros(1, np.int16)}
        rest = dict.fromkeys(("simhashes", "surprises", "lengths", "entropies", "scripts"))
        yield replace(
            without_inputs(1.76e9 + number * pause, "served", 1),
            **one,
            **{name: np.zeros(1, np.uint8) for name in rest},
        )


@pytest.fixture
def watch() -> Watch:
    return Watch(Layout([Asked()]), Decay(HOUR))


def test_evidence_is_taken_after_every_exchange(watch: Watch) -> None:
    assert watch.names == ("asked",)
    assert watch.course(_exchanges([1, 2, 3]))[:, 0].tolist() == [1, 2, 3]


def test_what_is_asked_again_counts_for_nothing(watch: Watch) -> None:
    assert watch.course(_exchanges([1, 1, 2, 1]))[:, 0].tolist() == [1, 1, 2, 2]


def test_what_has_been_set_apart_is_counted_as_it_is(watch: Watch) -> None:
    apart = Watch(watch.layout, watch.decay, apart=True)
    assert apart.course(_exchanges([1, 1, 2, 1]))[:, 0].tolist() == [1, 2, 3, 4]


def test_what_was_counted_decays(watch: Watch) -> None:
    found = watch.course(_exchanges([1, 2, 3], HOUR))[:, 0]
    assert found == pytest.approx([1, 1.5, 1.75])


def test_counters_are_kept_of_every_exchange(watch: Watch) -> None:
    assert watch.counted(_exchanges([1, 1, 2])).tolist() == [[1], [1], [2]]
    assert watch.counted(iter(())).shape == (0, 1)


def test_a_life_without_exchanges_has_no_evidence(watch: Watch) -> None:
    assert watch.course(iter(())).shape == (0, 1)
