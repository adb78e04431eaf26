"""What was learned of recorded exchanges, read from a real log."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from extproc.audit import Seen
from extproc.calibration import logged
from extproc.calibration.logged import Logged, read
from extproc.calibration.parts import SET, TRIED, parts
from extproc.config import compile_table, load
from extproc.detectors.seen import features_of
from extproc.detectors.seen import seen as said_of
from extproc.errors import ConfigError
from tests.calibration.logs import CALLERS, EXCHANGES, REFERENCE, policy, seen, written
from tests.config.example import ENVIRON


def _read(folder: Path, *said: Seen, tenant: str = "", by_principal: bool = True) -> Logged:
    table = compile_table(load(policy(folder, tenant)), ENVIRON)
    return read(
        [written(folder / "audit.jsonl", said or seen())],
        table,
        REFERENCE,
        by_principal=by_principal,
        progress=lambda _: None,
    )


def test_each_line_is_an_exchange_of_its_caller_as_it_was_learned(tmp_path: Path) -> None:
    found = _read(tmp_path)
    assert found.index.times.tolist() == [each.time.timestamp() for each in seen()]
    assert len(np.unique(found.index.clients)) == CALLERS
    assert (np.bincount(found.index.clients) == EXCHANGES).all()
    assert found.classes == ("user",)
    chosen = np.array([3, 700])
    exchange = found.exchanges(chosen)
    for row, line in enumerate(chosen.tolist()):
        told = seen()[line]
        assert said_of(exchange(row, 1.0)) == told.features
        assert exchange(row, 2.5).time == 2.5


def test_where_tenants_are_looked_at_their_principals_are_one(tmp_path: Path) -> None:
    assert set(_read(tmp_path, by_principal=False).index.clients.tolist()) == {0}


def test_an_exchange_is_fresh_where_none_of_its_inputs_was_asked_before(tmp_path: Path) -> None:
    """Whichever of them it is; and what was asked later takes nothing away."""
    one, other, both, later = (dict(each.features) for each in seen()[:4])
    joined = features_of(0.0, both), features_of(0.0, one)
    names = ("digests", "simhashes", "cells", "surprises", "lengths", "entropies", "scripts")
    arrays = {name: np.concatenate([getattr(x, name) for x in joined]) for name in names}
    twice = said_of(replace(joined[0], **arrays, queries=2))
    who = [replace(each, principal=f"key:{number}") for number, each in enumerate(seen()[:4])]
    told = [
        replace(each, features=features)
        for each, features in zip(who, (one, other, twice, later), strict=True)
    ]
    found = _read(tmp_path, *told)
    cut = parts(found.index, (0.0, 0.5))
    assert cut.tolist() == [SET, SET, TRIED, TRIED]
    assert found.unseen(cut).tolist() == [True, True, False, True]


def test_who_is_exempt_or_not_of_the_policy_sets_no_threshold(tmp_path: Path) -> None:
    stranger = replace(seen()[0], tenant="nobody", reference="of another")
    assert len(_read(tmp_path, stranger, seen()[1]).index.times) == 1
    assert len(_read(tmp_path, *seen()[:3], tenant=" exempt: true,").index.times) == 0


@pytest.mark.parametrize("other", ["", "00" * 8])
def test_what_another_reference_told_is_refused(tmp_path: Path, other: str) -> None:
    told = replace(seen()[1], reference=other, request="e7")
    with pytest.raises(ConfigError, match=r"of request e7 at 2026-.*another calibration's"):
        _read(tmp_path, seen()[0], told)


def test_features_that_were_never_made_are_refused(tmp_path: Path) -> None:
    told = replace(seen()[1], features={"outcome": "eaten"}, request="e7")
    with pytest.raises(ConfigError, match=r"of request e7 cannot be read: .*extproc audit verify"):
        _read(tmp_path, told)


def test_there_is_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "MOST", 3)
    assert len(_read(tmp_path, *seen()[:3]).index.times) == 3
    with pytest.raises(ConfigError, match="more than 3 exchanges; give fewer files"):
        _read(tmp_path, *seen()[:4])
