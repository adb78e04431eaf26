import msgspec
import pytest

from extproc.audit.chain import GENESIS, Chain, Tip, last, opened_on, read
from extproc.audit.record import Gap
from extproc.audit.signature import name, verifies
from tests.audit.logs import KEY, at, chain, lines, record, written


def test_a_line_is_its_record_between_its_number_and_its_hash() -> None:
    made = chain(Tip(6, b"h" * 32, 2)).record(record(5, model="m", dropped={"*": 2}))
    said = msgspec.json.decode(made)
    assert [*said][:3] == ["n", "kind", "time"]
    assert [*said][-1] == "hash"
    assert {name: said[name] for name in ("n", "kind", "request", "model", "dropped")} == {
        "n": 7,
        "kind": "exchange",
        "request": "e5",
        "model": "m",
        "dropped": {"*": 2},
    }
    line = read(made)
    assert line is not None
    assert line.follows(b"h" * 32)
    assert not line.follows(b"H" * 32)


def test_a_file_begins_with_what_it_follows_and_a_signature() -> None:
    log = chain()
    first, second = lines(log.opening(at(0), 10))
    opening, checkpoint = read(first), read(second)
    assert opening is not None
    assert checkpoint is not None
    assert (opening.said.file, opening.said.every, opening.said.time) == (1, 10, at(0))
    assert opened_on(opening.said) == GENESIS
    assert checkpoint.follows(opening.claimed)
    assert log.tip == Tip(2, checkpoint.claimed, 1)
    following = read(lines(log.opening(at(1), 10))[0])
    assert following is not None
    assert (following.said.n, following.said.file) == (3, 2)
    assert opened_on(following.said) == checkpoint.claimed


def test_a_checkpoint_is_signed_with_all_that_stands_before_it() -> None:
    log = chain()
    before = log.tip.hash
    line = read(log.checkpoint(at(0)))
    assert line is not None
    assert line.said.key == name(KEY.public_key())
    signed = Chain(lambda message: message, "k").checkpoint(at(0))
    assert b"signature" in signed
    public = KEY.public_key()
    signature = msgspec.json.decode(f'"{line.said.signature}"', type=bytes)
    assert verifies(public, signature, line.signed(before))
    assert not verifies(public, signature, line.signed(b"x" * 32))


def test_only_records_wait_for_a_signature() -> None:
    log = chain()
    log.opening(at(0), 10)
    log.gap(Gap(at(0), "queue", 3))
    assert log.unsigned == 0
    log.record(record())
    log.record(record())
    assert log.unsigned == 2
    log.checkpoint(at(1))
    assert log.unsigned == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line[:-1],
        lambda line: line[5:],
        lambda line: line.replace(b'"hash"', b'"hush"'),
        lambda line: line[:-3] + b'"]\n',
        lambda line: line.replace(b'"hash":"', b'"hash":"z')[:-4] + b'"}\n',
        lambda line: line[:-67] + line[-67:].upper().replace(b'"HASH', b'"hash'),
        lambda line: line.replace(b'"n":1', b'"n":"1"'),
        lambda line: b"\n",
        lambda line: b"",
    ],
)
def test_what_is_no_line_is_not_read(change: object) -> None:
    line = chain(Tip(0, b"\xab" * 32)).record(record())
    assert read(line) is not None
    assert read(change(line)) is None  # type: ignore[operator]


# Where a log is gone on with.


def test_a_log_is_gone_on_with_after_its_last_line() -> None:
    [file] = written(3)
    found = last(b"".join(file), 7)
    assert found is not None
    assert (found.tip.number, found.tip.file) == (len(file), 7)
    assert (found.torn, found.closed) == (0, True)


def test_what_is_torn_or_does_not_follow_is_left_behind() -> None:
    [file] = written(3)
    for rest in (b"x", b"x\ny", file[-1][:30], file[-2], b"\0" * 5):
        found = last(b"".join(file) + rest, 1)
        assert found is not None
        assert (found.tip.number, found.torn, found.closed) == (len(file), len(rest), False)


def test_a_log_that_was_not_stopped_was_not_closed() -> None:
    first, _ = written(3, 1)
    for end in (len(first), len(first) - 1):
        found = last(b"".join(first[:end]), 1)
        assert found is not None
        assert (found.tip.number, found.torn, found.closed) == (end, 0, False)


def test_the_first_line_follows_what_it_says() -> None:
    [file] = written(1)
    found = last(file[0] + b"torn", 1)
    assert found is not None
    assert (found.tip.number, found.torn) == (1, 4)


@pytest.mark.parametrize("tail", [b"", b"\n", b"x\ny\n"])
def test_a_tail_without_such_a_line_is_none(tail: bytes) -> None:
    assert last(tail, 1) is None
    [file] = written(1)
    assert last(file[2], 1) is None  # a line whose line before is not known


def test_a_head_is_written_as_number_and_hash() -> None:
    assert str(Tip(7, b"\x01" * 32)) == "7:" + "01" * 32
