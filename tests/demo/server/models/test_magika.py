import io
import zipfile

import numpy as np
import pytest
from magika import Magika as Reference

from extproc.demo.server.errors import MissingWeights
from extproc.demo.server.models import magika as module
from extproc.demo.server.models.magika import PADDING, Magika


@pytest.fixture(scope="module")
def model() -> Magika:
    return Magika.load()


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "words " * 400)
    return buffer.getvalue()


CONTENTS = [
    b'{"name": "value", "list": [1, 2, 3], "nested": {"a": null}}' * 1,
    b'#!/bin/sh\nset -e\nfor file in *.txt; do\n  echo "$file"\ndone\n' * 3,
    b"<!DOCTYPE html>\n<html><head><title>x</title></head><body><p>y</p></body></html>",
    _zipped(),
]


def _features(content: bytes) -> list[int]:
    """For files of less than a block, after the wheel's own rule."""
    head, tail = content.lstrip()[:1024], content.rstrip()[-1024:]
    filling = [PADDING] * 1024
    return [*(list(head) + filling)[:1024], *(filling + list(tail))[-1024:]]


def test_it_says_what_the_wheels_own_reader_says(model: Magika) -> None:
    reference = Reference()
    scores = model.score(np.array([_features(each) for each in CONTENTS], np.float64))
    labels = [str(label) for label in reference._model_config.target_labels_space]
    for row, content in enumerate(CONTENTS):
        theirs = reference.identify_bytes(content)
        assert labels[scores.labels[row]] == theirs.dl.label
        assert scores.probabilities[row].max() == pytest.approx(theirs.score, abs=1e-5)


def test_probabilities_sum_to_one_and_have_a_column_for_each_class(model: Magika) -> None:
    rows = np.random.default_rng(0).integers(0, 257, (3, 2048)).astype(np.float64)
    scores = model.score(rows)
    assert scores.probabilities.shape == (3, model.signature.classes) == (3, 214)
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1, atol=1e-12)
    assert scores.logits is None


def test_a_rows_company_does_not_change_its_scores(model: Magika) -> None:
    rows = np.random.default_rng(1).integers(0, 257, (3, 2048)).astype(np.float64)
    together, alone = model.score(rows), model.score(rows[1:2])
    np.testing.assert_array_equal(together.probabilities[1:2], alone.probabilities)


def test_numbers_are_rounded_to_whole_ones(model: Magika) -> None:
    rows = np.random.default_rng(2).integers(1, 256, (2, 2048)).astype(np.float64)
    near = model.score(rows + 0.4).probabilities
    np.testing.assert_array_equal(near, model.score(rows).probabilities)


@pytest.mark.parametrize("part", ["_PACKAGE", "_RUNTIME", "_MODEL"])
def test_a_missing_package_is_named_with_the_remedy(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, part, "no_such_package")
    with pytest.raises(MissingWeights, match="pip install magika onnxruntime"):
        Magika.load()
