import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from extproc.audit.record import Gap, GapReason
from extproc.audit.verification import MOST, Report, known_head
from extproc.auditor.verifying import text, to_json, verify
from tests.audit.logs import EVERY, KEY, at, chain, lines, record, seen, verified, written

PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CRASHED = "log.1:3: gap: the process ended here without closing; what it had not written is lost"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "key").write_bytes(PUBLIC)
    for number, content in enumerate(written(1, 2), 1):
        (tmp_path / f"log.{number}").write_bytes(b"".join(content))
    return tmp_path


def verdict(folder: Path, *names: str, known: str = "") -> Report:
    paths = [folder / name for name in names]
    head = known_head(known) if known else None
    return verify(paths, [folder / "key"], head, live=False)


def test_files_are_verified_in_whatever_order_they_are_named(folder: Path) -> None:
    report = verdict(folder, "log.2", "log.1")
    assert report.whole
    assert text(report).splitlines() == [
        "2 files, 9 lines, 3 records: whole",
        f"head: {report.head}",
    ]
    assert verdict(folder, "log.1", "log.2", known=report.head).whole


def test_what_is_wrong_is_told_with_its_file_and_line(folder: Path) -> None:
    path = folder / "log.2"
    path.write_bytes(path.read_bytes().replace(b"acme", b"evil", 1))
    report = verdict(folder, "log.2")
    assert text(report).splitlines() == [
        f"{path}:3: edited: this line, or its hash, is not what was written after the last",
        "1 file, 5 lines, 2 records: not whole",
        "lines 1 to 4 are in older files, which were not given",
        f"head: {report.head}",
    ]


def test_what_the_log_tells_is_told(folder: Path) -> None:
    log = chain()
    file = lines(log.opening(at(0), EVERY))
    told: list[tuple[GapReason, int | None, int]] = [
        ("crash", None, 0),
        ("crash", None, 7),
        ("queue", 3, 0),
        ("refused", 4, 0),
        ("seen", 5, 0),
    ]
    file += [log.gap(Gap(at(0), reason, count, torn)) for reason, count, torn in told]
    file += [log.record(record()), log.record(seen())]
    report = verified([file], live=True)
    assert text(report).splitlines()[:-1] == [
        CRASHED,
        f"{CRASHED.replace(':3:', ':4:')}, and 7 bytes of a torn line",
        "log.1:5: gap: 3 records were dropped because the log could not be written",
        "log.1:6: gap: 4 requests were refused because the log could not be written",
        "log.1:7: gap: 5 lines of what detectors learned were left out, since records waited",
        "1 file, 9 lines, 1 records, 1 seen by detectors: whole",
        "2 records at the end are not signed yet",
    ]


def test_findings_beyond_the_bound_are_counted() -> None:
    [file] = written(0)
    report = verified([[*file[:2], *[b"x\n"] * (MOST + 5)]], live=True)
    assert "and 5 findings more" in text(report)


def test_the_verdict_may_be_read_by_a_program(folder: Path) -> None:
    said = json.loads(to_json(verdict(folder, "log.1")))
    assert (said["whole"], said["records"]) == (False, 1)
    assert [found["what"] for found in said["findings"]] == ["cut"]
    assert said["head"].startswith("4:")
