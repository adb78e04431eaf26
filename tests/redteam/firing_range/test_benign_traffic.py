"""Benign traffic: whose it is, what it is about, and when it came."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from extproc.redteam.firing_range.benign_traffic import IMAGES, PACE, PARTS, TEXTS, write
from extproc.redteam.victims import digits, minilm

SHARE, NOW = 700, 1_760_000_000.0


def _lines(directory: Path, *classes: str, seed: int = 1) -> list[dict[str, Any]]:
    write(directory / "traffic", classes, seed, SHARE, NOW)
    return [orjson.loads(line) for line in (directory / "traffic").read_bytes().splitlines()]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return _lines(tmp_path_factory.mktemp("traffic"), IMAGES, TEXTS)


def test_each_class_has_as_many_lines_at_one_pace_up_to_now(both: list[dict[str, Any]]) -> None:
    assert Counter(line["traffic"] for line in both) == {IMAGES: 4 * SHARE, TEXTS: 4 * SHARE}
    times = np.array([line["time"] for line in both])
    np.testing.assert_allclose(np.diff(times), PACE, atol=1e-4)
    assert NOW - 2 * PACE < times[-1] < NOW


def test_parts_have_neither_callers_nor_inputs_in_common(both: list[dict[str, Any]]) -> None:
    ends = np.cumsum([0, *PARTS]) * 2 * SHARE
    parts = [both[start:end] for start, end in pairwise(ends)]
    for of in (lambda line: line["client"], lambda line: orjson.dumps(line["input"])):
        found = [{of(line) for line in part} for part in parts]
        assert all(found)
        assert not found[0] & found[1] | found[1] & found[2] | found[0] & found[2]


def test_no_text_is_the_judges_and_no_image_a_held_out_one(both: list[dict[str, Any]]) -> None:
    texts = {line["input"] for line in both if line["traffic"] == TEXTS}
    assert not texts & set(minilm.private().test)
    images = {str(line["input"]) for line in both if line["traffic"] == IMAGES}
    secret = digits.regression().secret
    assert not images & {str(image.tolist()) for image in (*secret.test, *secret.others)}


def test_a_class_of_another_name_has_callers_of_both_kinds(tmp_path: Path) -> None:
    kinds: dict[str, set[type]] = {}
    for line in _lines(tmp_path, "user"):
        kinds.setdefault(line["client"], set()).add(type(line["input"]))
    assert {tuple(each) for each in kinds.values()} == {(str,), (list,)}


def test_the_same_seed_writes_the_same(tmp_path: Path) -> None:
    once, again, other = (_lines(tmp_path, TEXTS, seed=seed) for seed in (3, 3, 4))
    assert once == again
    assert once != other
