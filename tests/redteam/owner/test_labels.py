"""Whose a copy of a classifier is, by a log and a vault as the sidecar writes them."""

from pathlib import Path

import numpy as np
import pytest

from extproc.errors import ConfigError
from extproc.redteam.answers import Floats, Ints
from extproc.redteam.owner.kept import Kept
from extproc.redteam.owner.labels import LabelOwner
from tests.ownership.making import CLASSES, Made, row

MARKS, CONTROLS = 30, 60
NUMBERS = {tuple(row(number)): number for number in range(4 * (MARKS + CONTROLS))}


def _folder(tmp_path: Path) -> Path:
    """Two who asked in the trial, and one who asked in another."""
    made = Made(tmp_path)
    made.some(MARKS, CONTROLS, tenant="thief-0", cohort="thief")
    made.some(MARKS, CONTROLS, start=MARKS + CONTROLS, tenant="thief.0-0")
    made.some(MARKS, CONTROLS, start=2 * (MARKS + CONTROLS), tenant="another-0")
    made.checkpoint()
    made.write()
    (tmp_path / "audit.pub").rename(tmp_path / "audit.pem.pub")
    return tmp_path


def _owner(folder: Path, thief: str = "thief", other: str = "thief.0") -> LabelOwner:
    return LabelOwner(Kept((folder,), thief, (other,)), settled=0.0)


class Copy:
    """Says what the model says, but for the marks that begin there."""

    def __init__(self, start: int | None) -> None:
        self.marks = range(0) if start is None else range(start, start + MARKS)
        self.asked = 0

    def __call__(self, inputs: Floats) -> Ints:
        self.asked += len(inputs)
        numbers = [NUMBERS[tuple(each)] for each in inputs.tolist()]
        return np.array([(n + (n in self.marks)) % CLASSES for n in numbers])


async def test_the_thief_is_named_by_a_copy_that_learnt_its_marks_and_nobody_else(
    tmp_path: Path,
) -> None:
    copy = Copy(0)
    found = await _owner(_folder(tmp_path)).finds(copy, 1)
    assert found is not None
    assert found.named
    assert found.bits < -64
    assert found.others == (0.0,)
    assert found.accused == 0
    assert copy.asked == 2 * (MARKS + CONTROLS), "nobody is asked of another trial's"


async def test_marks_of_another_tenant_accuse_that_one_and_not_the_thief(tmp_path: Path) -> None:
    """Planted: the thief judged by the first holder's cells, whoever that is."""
    found = await _owner(_folder(tmp_path)).finds(Copy(MARKS + CONTROLS), 1)
    assert found is not None
    assert (found.named, found.accused) == (False, 1)
    assert found.bits > -1 > -64 > min(found.others)


async def test_a_copy_of_unmarked_answers_is_nobodys(tmp_path: Path) -> None:
    found = await _owner(_folder(tmp_path)).finds(Copy(None), 1)
    assert found is not None
    assert (found.named, found.accused, found.bits) == (False, 0, 0.0)


async def test_where_nothing_was_marked_for_who_asked_nothing_is_found(tmp_path: Path) -> None:
    owner = _owner(_folder(tmp_path), "nobody", "nobody.0")
    assert await owner.finds(Copy(None), 1) is None


async def test_it_is_read_anew_when_more_was_asked_and_not_for_each_copy(tmp_path: Path) -> None:
    owner = _owner(_folder(tmp_path))
    assert await owner.finds(Copy(0), 1) is not None
    (tmp_path / "audit.jsonl").unlink()
    assert await owner.finds(Copy(0), 1) is not None
    with pytest.raises(ConfigError):
        await owner.finds(Copy(0), 2)


async def test_a_log_that_was_edited_is_no_evidence(tmp_path: Path) -> None:
    log = _folder(tmp_path) / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"stamp":"control"', b'"stamp":"mark"', 1))
    with pytest.raises(ConfigError, match="edited"):
        await _owner(tmp_path).finds(Copy(0), 1)
