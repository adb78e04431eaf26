"""What benign queries look like, as it is stored: see extproc/detectors/reference.py."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc.detectors import reference as stored
from extproc.detectors.reference import Domain, Reference, decode, encode
from extproc.detectors.sketch import Sketcher
from extproc.errors import Malformed
from tests.detectors.questions import KEY, asked, reference

OCTETS = encode(reference())
DOMAIN = reference().domains["text"]


def test_what_was_stored_is_read_again() -> None:
    assert decode(OCTETS) == reference()


def test_shares_are_of_cells_and_none_is_nothing() -> None:
    [shares] = reference().shares
    assert sum(shares) == pytest.approx(1)
    assert len(shares) == len(DOMAIN.sizes)
    assert min(replace(DOMAIN, sizes=(0, 10)).shares) == pytest.approx(1 / 12)


@given(st.integers(0, len(OCTETS) - 1))
@settings(max_examples=30)
def test_what_is_cut_off_is_no_reference(end: int) -> None:
    with pytest.raises(Malformed):
        decode(OCTETS[:end])


@given(st.integers(0, len(OCTETS) - 1), st.binary(min_size=1, max_size=16))
@settings(max_examples=60, deadline=None)
def test_what_was_changed_is_refused_or_can_be_used(start: int, other: bytes) -> None:
    try:
        changed = decode(OCTETS[:start] + other + OCTETS[start + len(other) :])
    except Malformed:
        return
    if changed.key == reference().key:
        [features] = Sketcher(changed, KEY).features([asked("where is my card")])
        assert np.isfinite(features.surprises).all()


@given(st.binary(max_size=60))
def test_other_octets_are_no_reference(octets: bytes) -> None:
    with pytest.raises(Malformed):
        decode(octets)


def test_nothing_large_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST", len(OCTETS) - 1)
    with pytest.raises(Malformed, match="at most"):
        decode(OCTETS)


_NAN = np.array([np.nan], "<f4").tobytes()


@pytest.mark.parametrize(
    "changed",
    [
        replace(DOMAIN, inputs=0),
        replace(DOMAIN, inputs=DOMAIN.inputs + 1),
        replace(DOMAIN, dimensions=DOMAIN.dimensions - 1),
        replace(DOMAIN, pole=1.0),
        replace(DOMAIN, pole=float("nan")),
        replace(DOMAIN, unit=0.0),
        replace(DOMAIN, unit=float("inf")),
        replace(DOMAIN, sizes=()),
        replace(DOMAIN, sizes=(*DOMAIN.sizes, 1)),
        replace(DOMAIN, sizes=(DOMAIN.sizes[0] + 1, -1, *DOMAIN.sizes[1:])),
        replace(DOMAIN, shift=DOMAIN.shift[4:]),
        replace(DOMAIN, scale=DOMAIN.scale + bytes(4)),
        replace(DOMAIN, projection=DOMAIN.projection[2:]),
        replace(DOMAIN, offset=b""),
        replace(DOMAIN, mean=DOMAIN.mean[4:]),
        replace(DOMAIN, spreads=DOMAIN.spreads[4:]),
        replace(DOMAIN, spreads=_NAN + DOMAIN.spreads[4:]),
        replace(DOMAIN, unseen=float("nan")),
        replace(DOMAIN, centres=DOMAIN.centres[4:]),
        replace(DOMAIN, points=DOMAIN.points[1:]),
        replace(DOMAIN, crowds=DOMAIN.crowds[4:]),
        replace(DOMAIN, crowds=_NAN + DOMAIN.crowds[4:]),
        replace(DOMAIN, ranks=b""),
        replace(DOMAIN, ranks=DOMAIN.ranks[1:]),
        replace(DOMAIN, ranks=DOMAIN.ranks[4:] + DOMAIN.ranks[:4]),
        replace(DOMAIN, ranks=DOMAIN.ranks[:-4] + _NAN),
        replace(DOMAIN, scale=_NAN + DOMAIN.scale[4:]),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: Domain) -> None:
    with pytest.raises(Malformed, match="do not fit together"):
        decode(encode(replace(reference(), domains={"text": changed})))


@pytest.mark.parametrize("name", ["texts", "numbers/3", "numbers/1024x", "", "numbers/01024"])
def test_a_domain_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        decode(encode(replace(reference(), domains={name: DOMAIN})))


def test_none_and_too_many_domains_or_cells_are_refused() -> None:
    with pytest.raises(Malformed, match="1 to 8 domains"):
        decode(encode(replace(reference(), domains={})))
    twice = {"text": DOMAIN, "numbers/1024": DOMAIN}
    with pytest.raises(Malformed, match="64 cells at most"):
        decode(encode(replace(reference(), domains=twice)))


def test_it_holds_no_text() -> None:
    assert b"please" not in OCTETS


def test_another_layout_is_no_reference() -> None:
    class Other(msgspec.Struct):
        key: bytes

    with pytest.raises(Malformed, match="no reference"):
        decode(msgspec.msgpack.encode(Other(b"k")))
    assert isinstance(decode(OCTETS), Reference)
