"""The key file: what a line may hold, and what is told of one that may not stand there."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.config import key_file
from extproc.config.key_file import MAX_LINE, MAX_NOTE, KeyLine, check_note, encoded, read_pieces
from extproc.errors import ConfigError

HASH = "0123456789abcdef" * 4
KEY = KeyLine(
    id="k1",
    prefix="xk-k1",
    hash=HASH,
    tenant="acme",
    created=datetime(2026, 1, 31, tzinfo=UTC),
)
PLAIN: dict[str, Any] = {
    "id": "k1",
    "prefix": "xk-k1",
    "hash": HASH,
    "tenant": "acme",
    "created": "2026-01-31T00:00:00Z",
}
TIME = "write a time such as 2026-01-31T00:00:00Z"


def written(folder: Path, octets: bytes) -> Path:
    path = folder / "keys.jsonl"
    path.write_bytes(octets)
    return path


def keys(path: Path) -> list[KeyLine]:
    return [key for piece in read_pieces(path) for key in piece.keys]


def line(**more: Any) -> bytes:
    """As this program would have written it, had it not been wrong."""
    fields = {name: value for name, value in {**PLAIN, **more}.items() if value is not ...}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def test_a_line_is_what_it_says_and_leaves_out_what_it_does_not(tmp_path: Path) -> None:
    assert encoded(KEY) == json.dumps(PLAIN, separators=(",", ":")).encode() + b"\n"
    assert keys(written(tmp_path, encoded(KEY))) == [KEY]


instants = st.datetimes(datetime(2000, 1, 1), datetime(9000, 1, 1)).map(  # noqa: DTZ001 - below
    lambda when: when.replace(tzinfo=UTC)
)
lines = st.builds(
    KeyLine,
    id=st.from_regex(r"[0-9A-Za-z]{1,16}", fullmatch=True),
    prefix=st.from_regex(r"[!-~]{1,20}", fullmatch=True),
    hash=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    tenant=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    created=instants,
    expires=st.none() | instants,
    revoked=st.none() | instants,
    note=st.text(
        st.characters(
            codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029"
        ),
        max_size=MAX_NOTE,
    ),
)


@given(st.lists(lines, max_size=30), st.integers(1, 3000))
def test_what_is_written_is_read_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, known: list[KeyLine], at_once: int
) -> None:
    path = written(tmp_path_factory.getbasetemp(), b"".join(map(encoded, known)))
    assert max(map(len, map(encoded, known)), default=0) <= MAX_LINE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_file, "_AT_ONCE", at_once)
        pieces = list(read_pieces(path))
    found = [each for piece in pieces for each in piece.lines()]
    assert [key for _, _, key in found] == known
    assert [number for number, _, _ in found] == list(range(1, len(known) + 1))
    assert b"".join(text for _, text, _ in found) == path.read_bytes()


def test_lines_may_be_written_in_other_ways(tmp_path: Path) -> None:
    turned = json.dumps(dict(reversed(PLAIN.items())), indent=None).encode()
    assert keys(written(tmp_path, turned + b"\n" + encoded(KEY) + turned)) == [KEY, KEY, KEY]


@pytest.mark.parametrize("cut", [1, 10, 150])
def test_a_last_line_that_is_still_being_written_is_none(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, encoded(KEY) + encoded(KEY)[:cut])
    assert keys(path) == [KEY]
    assert [text for piece in read_pieces(path) for _, text, _ in piece.lines()] == [encoded(KEY)]


def test_an_empty_file_holds_no_key(tmp_path: Path) -> None:
    assert keys(written(tmp_path, b"")) == []


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (b"\n", "an empty line; remove it"),
        (b"s3cret\n", "not JSON; write one key on each line, as JSON"),
        (b"\xff\n", "not JSON; write one key on each line, as JSON"),
        (b"[" * 1500 + b"\n", "no key; write one key on each line, as a JSON object"),
        (
            line(missing=1),
            (
                "an unknown field; a key has id, prefix, hash, tenant, created, expires, revoked, "
                "note"
            ),
        ),
        (line(note="@").replace(b"@", rb"\ud800"), "not JSON; write one key on each line, as JSON"),
        (b'"s3cret"\n', "no key; write one key on each line, as a JSON object"),
        (line(id=...), "id: missing; add it"),
        (
            line(s3cret=1),
            (
                "an unknown field; a key has id, prefix, hash, tenant, created, expires, revoked, "
                "note"
            ),
        ),
        (line(id=5), "id: malformed; write at most 16 letters and digits"),
        (line(id=""), "id: malformed; write at most 16 letters and digits"),
        (line(id="s3cret-s3cret"), "id: malformed; write at most 16 letters and digits"),
        (line(id="s" * 17), "id: malformed; write at most 16 letters and digits"),
        (
            line(prefix="s3 cret"),
            "prefix: malformed; write at most 20 characters of ASCII, without spaces",
        ),
        (
            line(hash="s" * 64),
            "hash: malformed; write the 64 digits that extproc keys hash prints",
        ),
        (
            line(hash=HASH.upper()),
            "hash: malformed; write the 64 digits that extproc keys hash prints",
        ),
        (
            line(hash=HASH[:-1]),
            "hash: malformed; write the 64 digits that extproc keys hash prints",
        ),
        (line(tenant=None), "tenant: malformed; write the name of a tenant of the policy"),
        (line(tenant="s3cret\x1b"), "tenant: malformed; write the name of a tenant of the policy"),
        (line(created="s3cret"), f"created: malformed; {TIME}"),
        (line(created="2026-01-31T00:00:00"), f"created: malformed; {TIME}"),
        (line(expires=1800000000), f"expires: malformed; {TIME}"),
        (line(revoked=True), f"revoked: malformed; {TIME}"),
        (line(note="s" * 121), "note: malformed; write at most 120 characters on one line"),
        (line(note="s3cret\u2028"), "note: malformed; write at most 120 characters on one line"),
        (
            line()[:-2] + b', "tenant": "beta"}\n',
            "tenant: repeated; keep one of the two",
        ),
        (line(note="s" * MAX_LINE), "a line of more than 2048 bytes; shorten it"),
        (b"s" * (1 << 20), "a line of more than 2048 bytes; shorten it"),
    ],
)
def test_what_is_no_key_is_told_by_its_line_and_not_by_its_value(
    tmp_path: Path, second: bytes, message: str
) -> None:
    path = written(tmp_path, encoded(KEY) + second + encoded(KEY))
    with pytest.raises(ConfigError) as caught:
        keys(path)
    assert str(caught.value) == f"{path}:2: {message}"


def test_the_line_is_counted_over_many_pieces(tmp_path: Path) -> None:
    path = written(tmp_path, encoded(KEY) * 5000 + b"{}\n")
    with pytest.raises(ConfigError, match=r":5001: id: missing"):
        keys(path)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        keys(tmp_path / "none")


@pytest.mark.parametrize("note", ["n" * 121, "two\nlines", "\x00"])
def test_a_note_that_no_line_could_hold_is_refused(note: str) -> None:
    with pytest.raises(ConfigError, match="the note is malformed; write at most 120"):
        check_note(note)
    check_note("n" * 120)
