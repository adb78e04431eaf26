"""Sketches: see extproc/detectors/sketch.py."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc.canonical import digest
from extproc.detectors.features import LABELS, MODELS, Features
from extproc.detectors.observation import SAMPLE, Observation
from extproc.detectors.sketch import Sketcher
from extproc.errors import ConfigError
from tests.detectors.questions import KEY, asked, by_topic, questions, reference
from tests.detectors.test_subject_matter import JSON

KNOWING = Sketcher(reference(), KEY)
BLIND = Sketcher(None, KEY)
ARRAYS = ("digests", "simhashes", "cells", "surprises", "lengths", "entropies", "scripts")
QUESTION = "please tell me how the kalomi of my teransel vori"


def _of(*inputs: Any, sketcher: Sketcher = KNOWING, digests: Any = ()) -> Features:
    [features] = sketcher.features([asked(*inputs, digests=digests)])
    return features


def _met(one: Any, other: Any) -> Any:
    """How many bands of 16 bits they have in common."""
    different = np.array([one ^ other]).view("<u2").reshape(-1, 4)
    return (different == 0).sum(1)


def _same(one: Features, other: Features) -> bool:
    return all(np.allclose(getattr(one, name), getattr(other, name)) for name in ARRAYS)


@pytest.mark.parametrize("sketcher", [KNOWING, BLIND])
def test_what_is_learned_of_an_input_does_not_depend_on_its_company(sketcher: Sketcher) -> None:
    inputs: list[Any] = [*questions(40, 5), [1.0, 2.0], {"a": 3}, None, b"file", ""]
    inputs[7] = [{"role": "user", "content": "a long story " * 100}]
    alone = [_of(each, sketcher=sketcher) for each in inputs]
    for each, other in zip(alone, sketcher.features([asked(one) for one in inputs]), strict=True):
        assert _same(each, other)
    together, backwards = _of(*inputs, sketcher=sketcher), _of(*inputs[::-1], sketcher=sketcher)
    for name in ARRAYS:
        row = np.concatenate([getattr(each, name) for each in alone])
        assert np.allclose(getattr(together, name), row)
        assert np.allclose(getattr(backwards, name)[::-1], row)


@pytest.mark.parametrize(
    "variant", [QUESTION.upper(), f"  {QUESTION.replace(' ', ',  ')}?!", "\u200b" + QUESTION]
)
def test_looks_change_neither_the_digest_nor_the_sketch(variant: str) -> None:
    one, other = _of(QUESTION), _of(variant)
    for name in ("digests", "simhashes", "cells", "surprises"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_another_key_changes_everything_that_is_keyed() -> None:
    inputs = questions(64, 5)
    one, other = _of(*inputs, sketcher=BLIND), _of(*inputs, sketcher=Sketcher(None, b"other"))
    assert not set(one.digests.tolist()) & set(other.digests.tolist())
    assert _met(one.simhashes, other.simhashes).mean() < 0.1
    names = [f"model-{at}" for at in range(40)]
    assert _models(BLIND, names) != _models(Sketcher(None, b"other"), names)


def _models(sketcher: Sketcher, names: list[str]) -> list[int]:
    return [each.model for each in sketcher.features([replace(asked(), model=x) for x in names])]


def test_models_have_a_number_each_and_the_unknown_one_the_last() -> None:
    buckets = _models(KNOWING, [f"model-{at}" for at in range(400)])
    assert set(buckets) == set(range(MODELS - 1))
    assert _models(KNOWING, ["", "model-1", "model-1"])[:1] == [MODELS - 1]


def test_a_reference_of_another_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="another key"):
        Sketcher(reference(), b"other")


def test_digests_that_were_made_are_taken() -> None:
    inputs = questions(3, 5)
    made = [digest(each) for each in inputs]
    assert np.array_equal(_of(*inputs, digests=made).digests, _of(*inputs).digests)
    others = [bytes([at]) * 32 for at in range(3)]
    assert not np.isin(_of(*inputs, digests=others).digests, _of(*inputs).digests).any()
    assert np.array_equal(_of(*inputs, digests=made[:1]).digests, _of(*inputs).digests)


def test_of_the_digests_of_all_inputs_those_of_the_sample_are_taken() -> None:
    inputs = questions(3 * SAMPLE - 5, 5)
    made = [digest(each) for each in inputs]
    sample = inputs[::3]
    assert np.array_equal(_of(*sample, digests=made).digests, _of(*sample).digests)


def test_perturbed_questions_are_alike_and_others_are_not() -> None:
    inputs = questions(60, 5)
    typos = [each[:12] + "x" + each[13:] for each in inputs]
    for sketcher in (KNOWING, BLIND):
        one, other = (_of(*each, sketcher=sketcher).simhashes for each in (inputs, typos))
        assert _met(one, other).mean() > 0.7
        pairs = np.array(list(combinations(one, 2)))
        assert _met(pairs[:, 0], pairs[:, 1]).mean() < 0.4


def test_questions_of_a_topic_fall_into_few_cells() -> None:
    topics = np.array([topic for topic, _ in by_topic(600, 9)])
    cells = np.concatenate(
        [each.cells for each in KNOWING.features([asked(q) for _, q in by_topic(600, 9)])]
    )
    assert (cells >= 0).all()
    within = np.mean([len(set(cells[topics == topic].tolist())) for topic in range(16)])
    assert within < 0.5 * len(set(cells.tolist()))


def test_what_no_domain_knows_has_no_cell_and_is_no_surprise() -> None:
    features = _of([1.0, 2.0], None, b"file")
    assert features.cells.tolist() == [-1, -1, -1]
    assert features.surprises.tolist() == [0, 0, 0]
    assert np.array_equal(features.simhashes, features.digests), "none is like another"
    assert _of("text", sketcher=BLIND).cells.tolist() == [-1]


def test_rows_of_numbers_alike_are_alike_without_a_reference() -> None:
    row = np.random.default_rng(0).standard_normal(200)
    one, near, other = _of(
        row.tolist(), (row + 0.01).tolist(), row[::-1].tolist(), sketcher=BLIND
    ).simhashes
    assert _met(one, near) == 4
    assert _met(one, other) == 0


def test_what_characters_are_like_is_noted() -> None:
    features = _of("x" * 100, "abcd" * 4, "слово word", [1.0] * 9, None, "")
    assert features.lengths.tolist() == [6, 4, 3, 3, 0, 0]
    assert features.entropies.tolist() == [0, 2, 3, 0, 0, 0]
    assert features.scripts.tolist() == [1, 1, 2, 0, 0, 0]


def test_what_is_known_of_the_answer_passes_through() -> None:
    seen = replace(
        asked("a", "b"), labels=(1, LABELS), margins=(7,), norms=(2,), knobs=5, queries=9
    )
    [features] = KNOWING.features([replace(seen, outcome="limited")])
    assert features.labels.tolist() == [1, 0]
    assert features.margins.tolist() == [7]
    assert features.norms.tolist() == [2]
    assert (features.knobs, features.queries, features.outcome) == (5, 9, "limited")
    assert features.time == 1.0


def test_an_exchange_without_inputs_has_no_rows() -> None:
    [features, other] = KNOWING.features([asked(), asked("a")])
    assert features.sampled == 0
    assert other.sampled == 1
    assert KNOWING.features([]) == []


def test_no_more_than_a_sample_is_looked_at() -> None:
    assert _of(*questions(SAMPLE + 5, 5)).sampled == SAMPLE


def _observations() -> Iterator[st.SearchStrategy[Observation]]:
    inputs = st.lists(JSON, max_size=4)
    digests = st.lists(st.binary(max_size=40), max_size=4)
    yield st.builds(lambda some, made: asked(*some, digests=made), inputs, digests)


@given(st.lists(st.one_of(*_observations()), max_size=3))
@settings(max_examples=40, deadline=None)
def test_nothing_makes_it_raise(observations: list[Observation]) -> None:
    for sketcher in (KNOWING, BLIND):
        for seen, features in zip(observations, sketcher.features(observations), strict=True):
            assert {len(getattr(features, name)) for name in ARRAYS} == {len(seen.inputs)}
            assert np.isfinite(features.surprises).all()


def test_values_that_are_no_json_have_digests_all_the_same() -> None:
    deep: Any = ["text"]
    for _ in range(100):
        deep = [deep]
    features = _of(deep, {1, 2}, "\ud800", object(), deep, [deep, 1.0])
    assert features.digests[0] == features.digests[4]
    assert features.digests[0] != features.digests[2]
