"""The signed file of a calibration: see extproc/detectors/calibration.py."""

import hashlib
import hmac
import math
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.detectors import calibration as file
from extproc.detectors.calibration import Calibration, Threshold, open_sealed, seal, sketching_key
from extproc.errors import ConfigError

KEY = b"k" * 32
THRESHOLD = Threshold(
    nats=2.5,
    discounts={"coverage": 12.0, "novelty": -0.5},
    set_by=3000,
    clients=4000,
    alarms=1,
    lowest=0.0,
    highest=0.001,
)
MADE = Calibration(
    reference=b"points", floor=0.8, thresholds={"user": THRESHOLD}, latest=1.76e9, forest=b"trees"
)


def _with(**changes: object) -> Calibration:
    return msgspec.structs.replace(MADE, **changes)


def _signed(body: bytes, key: bytes = KEY) -> bytes:
    """As somebody who has the key would."""
    magic = seal(MADE, KEY)[:22]
    derived = hmac.digest(key, b"calibration", "sha256")
    return magic + hmac.digest(derived, magic + body, "sha256") + body


def test_what_was_sealed_is_opened() -> None:
    assert open_sealed(seal(MADE, KEY), KEY) == MADE


@given(st.integers(0), st.integers(1, 255))
def test_a_change_of_any_octet_is_found(place: int, change: int) -> None:
    changed = bytearray(seal(MADE, KEY))
    changed[place % len(changed)] ^= change
    with pytest.raises(ConfigError, match=r"no calibration|changed"):
        open_sealed(bytes(changed), KEY)


@given(st.integers(0, 200))
def test_a_file_that_was_cut_off_is_found(length: int) -> None:
    with pytest.raises(ConfigError):
        open_sealed(seal(MADE, KEY)[: min(length, len(seal(MADE, KEY)) - 1)], KEY)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(ConfigError, match=r"another keys\.hmac; make it again"):
        open_sealed(seal(MADE, KEY), b"another" * 8)


def test_nothing_is_decoded_before_the_signature_holds() -> None:
    """A pickle that would run is no more than octets, signed or not."""
    body = pickle.dumps(hashlib.sha256)
    with pytest.raises(ConfigError, match="changed"):
        open_sealed(_signed(body, b"wrong"), KEY)
    with pytest.raises(ConfigError, match="another version"):
        open_sealed(_signed(body), KEY)


def test_a_signed_file_of_other_fields_is_of_another_version() -> None:
    fields = {**msgspec.to_builtins(MADE, builtin_types=(bytes,)), "more": 1}
    with pytest.raises(ConfigError, match="another version"):
        open_sealed(_signed(msgspec.msgpack.encode(fields)), KEY)


def test_the_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LARGEST", 100)
    with pytest.raises(ConfigError, match="give less traffic"):
        seal(MADE, KEY)
    with pytest.raises(ConfigError, match="larger than"):
        open_sealed(bytes(101), KEY)


@pytest.mark.parametrize("nats", [0.0, -1.0, math.inf, math.nan])
def test_a_threshold_that_suspects_everybody_or_nobody_is_refused(nats: float) -> None:
    wrong = _with(thresholds={"user": msgspec.structs.replace(THRESHOLD, nats=nats)})
    with pytest.raises(ConfigError, match="without thresholds"):
        seal(wrong, KEY)
    with pytest.raises(ConfigError, match="without thresholds"):
        open_sealed(_signed(msgspec.msgpack.encode(wrong)), KEY)


@pytest.mark.parametrize(
    "wrong",
    [
        _with(thresholds={}),
        _with(thresholds=dict.fromkeys(map(str, range(65)), THRESHOLD)),
        _with(thresholds={"user": msgspec.structs.replace(THRESHOLD, discounts={"a": math.nan})}),
        _with(floor=0.0),
        _with(floor=1.5),
        _with(floor=math.nan),
    ],
)
def test_what_cannot_be_used_is_not_sealed(wrong: Calibration) -> None:
    with pytest.raises(ConfigError):
        seal(wrong, KEY)


def test_what_sketches_are_made_under_is_neither_the_key_nor_what_signs() -> None:
    under = sketching_key(KEY)
    assert len(under) == 32
    assert under not in {KEY, hmac.digest(KEY, b"calibration", "sha256")}
    assert under != sketching_key(b"another" * 8)
