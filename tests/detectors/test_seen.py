"""What a record keeps of features makes them again."""

import json
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.detectors.features import (
    KNOBS,
    LABELS,
    MARGINS,
    MODELS,
    NORMS,
    Features,
    Outcome,
    without_inputs,
)
from extproc.detectors.seen import STEPS, features_of, seen
from extproc.detectors.seen import name as named
from extproc.errors import Malformed

ARRAYS = {
    "digests": np.uint64,
    "simhashes": np.uint64,
    "cells": np.int16,
    "surprises": np.float32,
    "lengths": np.uint8,
    "entropies": np.uint8,
    "scripts": np.uint8,
    "labels": np.uint8,
    "margins": np.uint8,
    "norms": np.uint8,
}


@st.composite
def exchanges(draw: st.DrawFn) -> Features:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, labels, margins, norms = (draw(st.integers(0, 64)) for _ in range(4))
    return Features(
        time=draw(st.floats(0, 4e9)),
        outcome=draw(st.sampled_from(get_args(Outcome))),
        digests=generator.integers(0, 2**64, rows, np.uint64),
        simhashes=generator.integers(0, 2**64, rows, np.uint64),
        cells=generator.integers(-1, 2**15, rows, np.int16),
        surprises=generator.exponential(3, rows).astype(np.float32),
        lengths=generator.integers(0, 256, rows, np.uint8),
        entropies=generator.integers(0, 256, rows, np.uint8),
        scripts=generator.integers(0, 256, rows, np.uint8),
        labels=generator.integers(0, LABELS, labels, np.uint8),
        margins=generator.integers(0, MARGINS, margins, np.uint8),
        norms=generator.integers(0, NORMS, norms, np.uint8),
        knobs=draw(st.integers(0, 2**KNOBS - 1)),
        model=draw(st.integers(0, MODELS - 1)),
        queries=draw(st.integers(0, 10**6)),
    )


@given(exchanges())
def test_features_come_back_as_they_were_through_json(features: Features) -> None:
    again = features_of(features.time, json.loads(json.dumps(seen(features))))
    for name in Features.__struct_fields__:
        before, after = getattr(features, name), getattr(again, name)
        if name == "surprises":
            assert np.all(np.abs(before - after) <= 0.5 / STEPS)
            assert after.dtype == np.float32
        elif name in ARRAYS:
            assert np.array_equal(before, after)
            assert after.dtype == ARRAYS[name]
        else:
            assert before == after
    assert seen(again) == seen(features)


def test_what_is_nothing_is_left_out() -> None:
    assert seen(without_inputs(7.0, "refused", 3)) == {"outcome": "refused", "queries": 3}
    assert features_of(7.0, {"outcome": "failed"}).sampled == 0


def test_a_surprise_out_of_all_bounds_is_a_large_one() -> None:
    features = without_inputs(7.0, "served", 1)
    row = dict.fromkeys(("digests", "simhashes"), np.zeros(1, np.uint64))
    octets = dict.fromkeys(("lengths", "entropies", "scripts"), np.zeros(1, np.uint8))
    surprise = {"surprises": np.array([np.inf], np.float32), "cells": np.zeros(1, np.int16)}
    fields = {name: getattr(features, name) for name in Features.__struct_fields__}
    made = Features(**{**fields, **row, **octets, **surprise})
    assert seen(made)["surprises"] == [2**16 - 1]


def test_one_input_takes_little() -> None:
    """Of a record of some 700 bytes."""
    features = without_inputs(7.0, "served", 1)
    fields: dict[str, Any] = {name: getattr(features, name) for name in Features.__struct_fields__}
    one = {name: np.full(1, 3, kind) for name, kind in ARRAYS.items()}
    assert len(json.dumps(seen(Features(**{**fields, **one})), separators=(",", ":"))) < 250


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"outcome": "stolen"},
        {"outcome": "served", "prompt": "x"},
        {"outcome": "served", "queries": -1},
        {"outcome": "served", "knobs": 1 << KNOBS},
        {"outcome": "served", "model": MODELS},
        {"outcome": "served", "labels": [LABELS]},
        {"outcome": "served", "margins": [-1]},
        {"outcome": "served", "norms": [0.5]},
        {"outcome": "served", "digests": "AAAA"},
        {"outcome": "served", "digests": "not base64"},
        {"outcome": "served", "digests": "AAAAAAAAAAA="},
        {"outcome": "served", "cells": [1]},
        {"outcome": "served", "cells": [1 << 15]},
    ],
)
def test_what_was_never_seen_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        features_of(7.0, said)


def test_references_that_are_written_otherwise_have_other_names() -> None:
    names = {named(each) for each in (b"", b"one", b"other")}
    assert len(names) == 3
    assert {len(each) for each in names} == {16}
    assert named(b"one") in names
