from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from extproc.config import DetectionPlan, compile_detection
from extproc.detectors.calibration import LARGEST, Calibration, open_sealed, seal
from extproc.errors import ConfigError
from tests.config.example import ENVIRON, TEXT, changed, loaded
from tests.config.sealed import THRESHOLD, sealed
from tests.detectors.trees import by_chance

TREES = by_chance(2, 2, 9).dump()
ENV = {**ENVIRON, "HOOK": "h" * 32}
ALERT = "{url: 'https://alerts.example.com/x', secret: 'env:HOOK'}"


def compiled(folder: Path, detection: str) -> DetectionPlan | None:
    return compile_detection(loaded(folder, TEXT + f"detection: {detection}\n"), ENV)


def plan(folder: Path, detection: str) -> DetectionPlan:
    found = compiled(folder, detection)
    assert found is not None
    return found


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    (tmp_path / "ref").write_bytes(sealed(ENVIRON["HMAC"]))
    return tmp_path


def test_without_a_section_nobody_looks(tmp_path: Path) -> None:
    assert compile_detection(loaded(tmp_path), ENV) is None


def test_the_reference_is_opened_and_handed_on(reference: Path) -> None:
    found = plan(reference, "{reference: ref}")
    assert found.path == reference / "ref"
    assert found.calibration == open_sealed(found.path.read_bytes(), ENVIRON["HMAC"].encode())
    assert found.digest == sha256(found.path.read_bytes()).digest()
    assert (found.half_life, found.by_principal, found.profiles) == (604_800, False, 100_000)
    assert "Calibration" not in repr(found)
    assert found.lightened().calibration is None
    assert found.lightened().digest == found.digest


def test_all_else_is_in_seconds(reference: Path) -> None:
    found = plan(
        reference,
        f"{{reference: ref, half_life: 1h, per: principal, profiles: 7, alerts: [{ALERT}]}}",
    )
    assert (found.half_life, found.by_principal, found.profiles) == (3600, True, 7)
    assert [each.host for each in found.receivers] == ["alerts.example.com"]


@pytest.mark.parametrize(
    ("detection", "told"),
    [
        (
            "{reference: gone}",
            "reference: {}/gone cannot be read (No such file or directory); ",
        ),
        (
            "{reference: .}",
            "reference: {} cannot be read (Is a directory); make one with: extproc ",
        ),
        (
            "{reference: ref, alerts: [{url: 'https://a.example', secret: 'env:NONE'}]}",
            "alerts[0].secret: the variable NONE is not set; set it",
        ),
        (
            "{reference: ref, alerts: [{url: 'http://a.example', secret: 'env:HOOK'}]}",
            "alerts[0].url: malformed; write https://HOST/PATH; http:// only of this machine",
        ),
        ("{reference: ref, half_life: never}", "half_life: malformed; write a duration such as"),
        ("{}", "reference: missing; add text"),
    ],
)
def test_what_could_not_work_is_an_error_at_its_line(
    reference: Path, detection: str, told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        compiled(reference, detection)
    line = TEXT.count("\n") + 1
    where, _, what = str(error.value).partition(": ")
    assert where == f"{reference}/policy.yaml:{line}"
    assert what.startswith(f"detection.{told.replace('{}', str(reference), 1)}")


def test_a_reference_is_read_up_to_a_bound(reference: Path) -> None:
    with (reference / "ref").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ConfigError, match=r"detection.reference: it is larger than 64 MiB: no cal"):
        compiled(reference, "{reference: ref}")


def test_it_is_followed_and_makes_no_other_policy(reference: Path) -> None:
    config = loaded(reference, TEXT + "detection: {reference: ref}\n")
    before = config.document.files.digest()
    assert compile_detection(config, ENV) is not None
    assert reference / "ref" in config.document.files.paths
    assert config.document.files.digest() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"abc", "no calibration, or one of another version; make it again with extproc calibrate"),
        (sealed("1" * 32), "changed, or signed under another keys.hmac; make it again with"),
        (sealed(ENVIRON["HMAC"])[:-1], "changed, or signed under another keys.hmac; make it ag"),
        (
            seal(Calibration(b"x", 0.5, {"user": THRESHOLD}, 0.0), ENVIRON["HMAC"].encode()),
            "",
        ),
    ],
)
def test_a_reference_that_is_not_the_policys_own_is_not_used(
    reference: Path, content: bytes, told: str
) -> None:
    (reference / "ref").write_bytes(content)
    with pytest.raises(ConfigError) as error:
        compiled(reference, "{reference: ref}")
    line = TEXT.count("\n") + 1
    what = f"it is {told}" if told else "no query could be held against it; make one with: extproc"
    where = f"{reference}/policy.yaml:{line}: detection.reference: "
    assert str(error.value).startswith(where + what)


@pytest.mark.parametrize(
    ("forest", "told"),
    [
        (b"trees", "no isolation forest; make one with: extproc calibrate"),
        (b"\xff" + TREES[1:], "an isolation forest that is cut off, or of another version; make"),
        (TREES[:-4], "an isolation forest that is cut off, or of another version; make one with"),
    ],
)
def test_a_forest_of_other_trees_than_it_says_is_found_at_load(
    reference: Path, forest: bytes, told: str
) -> None:
    """Though it was signed."""
    key = ENVIRON["HMAC"].encode()
    made = open_sealed((reference / "ref").read_bytes(), key)
    (reference / "ref").write_bytes(seal(replace(made, forest=TREES), key))
    assert plan(reference, "{reference: ref}").calibration == replace(made, forest=TREES)
    (reference / "ref").write_bytes(seal(replace(made, forest=forest), key))
    with pytest.raises(ConfigError, match=f"detection.reference: it holds {told}"):
        compiled(reference, "{reference: ref}")


def test_a_forest_that_was_changed_after_it_was_signed_is_not_used(reference: Path) -> None:
    key = ENVIRON["HMAC"].encode()
    made = open_sealed((reference / "ref").read_bytes(), key)
    file = seal(replace(made, forest=TREES), key)
    other = TREES[:-1] + bytes([TREES[-1] ^ 1])
    (reference / "ref").write_bytes(file.replace(TREES, other))
    with pytest.raises(ConfigError, match=r"it is changed, or signed under another keys.hmac"):
        compiled(reference, "{reference: ref}")


def test_a_kind_of_traffic_that_it_does_not_know_is_an_error(reference: Path) -> None:
    (reference / "ref").write_bytes(sealed(ENVIRON["HMAC"], "user", "batch"))
    batch = "    fidelity: standard\n    traffic: %s\n"
    for name, knows in (("batch", True), ("bath", False)):
        text = changed(("    fidelity: standard\n", batch % name)) + "detection: {reference: ref}\n"
        config = loaded(reference, text)
        if knows:
            assert compile_detection(config, ENV) is not None
            continue
        told = r"partner.traffic: the reference knows no traffic 'bath'; did you mean 'batch'\?"
        with pytest.raises(ConfigError, match=told):
            compile_detection(config, ENV)
