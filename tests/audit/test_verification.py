"""Whatever is done to a log is found; what is not done is not."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.audit.chain import Tip, read
from extproc.audit.verification import MOST, known_head
from tests.audit.logs import (
    EVERY,
    KEY,
    OTHER,
    File,
    act,
    at,
    chain,
    enforced,
    lines,
    marked,
    record,
    seen,
    suspected,
    told,
    verified,
    written,
)

logs = st.builds(
    written,
    *[st.integers(0, 9)] * 3,
    crash=st.booleans(),
)


def flat(files: list[File]) -> File:
    return [line for file in files for line in file]


@given(logs)
def test_a_log_that_nobody_touched_is_whole(files: list[File]) -> None:
    report = verified(files)
    assert told(report) == []
    assert report.whole
    assert (report.first, report.lines, report.unsigned) == (1, len(flat(files)), 0)
    assert report.records == sum(b'"kind":"exchange"' in line for line in flat(files))
    assert verified(files, live=True).whole
    assert verified(files, known=known_head(report.head)).whole


@given(logs, st.data())
def test_a_byte_that_is_changed_is_found(files: list[File], data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files))
    index = data.draw(st.integers(0, len(file) - 1))
    line = bytearray(file[index])
    at_byte = data.draw(st.integers(0, len(line) - 1))
    line[at_byte] ^= data.draw(st.integers(1, 255))
    file[index] = bytes(line)
    assert not verified(files, live=True).whole


@given(logs, st.data())
def test_a_row_of_lines_that_is_taken_out_is_found_and_counted(
    files: list[File], data: st.DataObject
) -> None:
    file = data.draw(st.sampled_from(files))
    start = data.draw(st.integers(1, len(file) - 2))
    stop = data.draw(st.integers(start + 1, len(file) - 1))
    del file[start:stop]
    name = f"log.{files.index(file) + 1}"
    findings = told(verified(files))
    assert findings[0] == (name, start + 1, "missing", stop - start)
    assert {what for _, _, what, _ in findings} <= {"missing", "unsigned"}


@given(logs, st.data())
def test_two_lines_that_change_places_are_found(files: list[File], data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files))
    one, other = sorted(data.draw(st.sets(st.integers(0, len(file) - 1), min_size=2, max_size=2)))
    file[one], file[other] = file[other], file[one]
    assert not verified(files, live=True).whole
    if one > 0 and other == one + 1 and other < len(file) - 1:
        found = [what for _, _, what, _ in told(verified(files)) if what != "unsigned"]
        assert found == ["reordered"]


@given(logs, st.data())
def test_a_line_that_stands_twice_is_found(files: list[File], data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files))
    index = data.draw(st.integers(0, len(file) - 1))
    file.insert(data.draw(st.integers(index + 1, len(file))), file[index])
    assert [what for _, _, what, _ in told(verified(files, live=True))] == ["reordered"]


@given(logs, st.data())
def test_an_end_that_is_cut_off_is_found(files: list[File], data: st.DataObject) -> None:
    whole = b"".join(flat(files))
    head = known_head(verified(files).head)
    rest = len(files) - 1
    kept = data.draw(st.integers(0, len(b"".join(files[rest])) - 1))
    cut = b"".join(files[rest])[:kept]
    files = [*files[:rest], lines(cut)]
    assert whole.startswith(b"".join(flat(files)))
    assert "cut" in {what for _, _, what, _ in told(verified(files))}
    assert "cut" in {what for _, _, what, _ in told(verified(files, live=True, known=head))}


@given(logs)
def test_a_file_that_is_missing_is_found_and_its_lines_are_counted(files: list[File]) -> None:
    first, middle, last = files
    report = verified([first, last])
    assert told(report) == [("log.2", 1, "missing", len(middle))]
    assert [what for _, _, what, _ in told(verified([first, middle]))] == ["cut"]
    later = verified([middle, last])
    assert later.whole
    assert later.first == len(first) + 1


@given(logs, st.data())
def test_who_changes_a_line_and_every_hash_after_it_still_cannot_sign(
    files: list[File], data: st.DataObject
) -> None:
    """The whole log is written anew, but for signatures: of an intruder without the key."""
    forger, forged = chain(key=OTHER), list[File]()
    changed = data.draw(st.integers(0, len(flat(files)) - 1))
    number = 0
    for file in files:
        new: File = []
        for line in file:
            found = read(line)
            assert found is not None
            body = (
                found.body.replace(b'"time":"2026', b'"time":"2025')
                if number == changed
                else found.body
            )
            new.append(forger._sealed(body))
            number += 1
        forged.append(new)
    assert not verified(forged, live=True).whole


def test_a_log_that_another_key_signed_is_not_ours() -> None:
    files = written(3, key=OTHER)
    assert {what for _, _, what, _ in told(verified(files))} == {"edited"}
    assert verified(files, keys=(KEY, OTHER)).whole


def test_a_signature_that_is_no_base64_is_none() -> None:
    [file] = written(0)
    file[1] = re.sub(rb'"signature":"....', b'"signature":"=!==', file[1])
    log = chain(Tip(1, hash_of(file[0])))
    found = read(file[1])
    assert found is not None
    file[1:] = [log._sealed(found.body), log.checkpoint(at(1), "stopped")]
    assert told(verified([file])) == [("log.1", 2, "edited", None)]


def hash_of(line: bytes) -> bytes:
    found = read(line)
    assert found is not None
    return found.claimed


def test_a_checkpoint_that_is_overdue_is_missed() -> None:
    log = chain()
    file = lines(log.opening(at(0), EVERY))
    file += [log.record(record(number)) for number in range(EVERY + 2)]
    file.append(log.checkpoint(at(9), "stopped"))
    assert told(verified([file])) == [("log.1", 2 + EVERY + 1, "unsigned", None)]


def test_what_the_log_tells_of_itself_is_no_fault() -> None:
    report = verified(written(2, 3, crash=True))
    assert report.whole
    assert [(gap.file, gap.reason, gap.count, gap.torn) for gap in report.gaps] == [
        ("log.1", "crash", None, 3),
        ("log.2", "crash", None, 3),
    ]


def test_a_log_that_is_being_written_has_an_open_end() -> None:
    [file] = written(6)
    report = verified([[*file[:-1], file[-1][:20]]], live=True)
    assert report.whole
    assert report.unsigned == 2
    findings = verified([[*file[:-1], file[-1][:20]]]).findings
    assert [(found.line, found.detail) for found in findings] == [
        (len(file), "the last line is torn"),
        (len(file), "the log does not end with a closing line: its end is missing"),
    ]


def test_a_torn_line_in_a_file_that_others_follow_is_found_even_while_the_log_is_written() -> None:
    first, last = written(3, 3)
    first[-1] = first[-1][:-1]
    assert ("log.1", len(first), "cut", None) in told(verified([first, last], live=True))


def test_a_file_that_follows_after_rotation_is_missed_at_the_end() -> None:
    first, _ = written(3, 3)
    assert [what for _, _, what, _ in told(verified([first]))] == ["cut"]


def test_lines_that_stand_far_below_their_place_are_put_back_in_thought() -> None:
    [file] = written(4)
    moved = [file[4], file[2]]
    file[-1:-1] = moved
    del file[4], file[2]
    assert told(verified([file])) == [
        ("log.1", len(file) - 2, "reordered", None),
        ("log.1", len(file) - 1, "reordered", None),
    ]


def test_an_empty_file_is_found() -> None:
    assert ("log.1", 1, "cut", None) in told(verified([[]]))


def test_an_unknown_kind_of_line_is_found() -> None:
    log = chain()
    file = lines(log.opening(at(0), EVERY))
    file += [log._sealed(b'{"n":3,"kind":"secret"'), log.checkpoint(at(1), "stopped")]
    assert told(verified([file])) == [("log.1", 3, "edited", None)]


def test_a_log_cannot_begin_in_the_air() -> None:
    log = chain(Tip(0, b"x" * 32))
    file = [*lines(log.opening(at(0), EVERY)), log.checkpoint(at(1), "stopped")]
    assert told(verified([file])) == [("log.1", 1, "edited", None)]


def test_a_first_line_that_names_no_hash_is_found() -> None:
    log = chain()
    file = [log._sealed(b'{"n":1,"kind":"open","file":1,"previous":"zz","every":4')]
    file.append(log.checkpoint(at(1), "stopped"))
    assert {what for _, _, what, _ in told(verified([file]))} == {"edited"}


def test_another_line_than_the_one_that_was_known_is_found() -> None:
    files = written(3)
    head = known_head(verified(files).head)
    other = verified(files, known=Tip(head.number, b"x" * 32))
    assert told(other) == [("log.1", len(files[0]), "edited", None)]


def test_a_longer_log_was_known() -> None:
    files = written(3)
    [found] = verified(files, known=Tip(100, b"x" * 32)).findings
    assert (found.what, found.count) == ("cut", 100 - len(files[0]))


def test_findings_are_bounded() -> None:
    [file] = written(2)
    report = verified([[*file[:2], *[b"x\n"] * (MOST + 5), *file[2:]]])
    assert len(report.findings) == MOST
    assert report.unlisted > 5


def test_lines_are_judged_one_by_one() -> None:
    """One that was edited does not make those after it look so."""
    [file] = written(9)
    for index in (3, 8):
        file[index] = file[index].replace(b"acme", b"evil")
    file[5] = file[5].replace(b'"hash":"', b'"hash":"00')[:-67] + file[5][-65:]
    report = verified([file])
    assert next(line for _, line, what, _ in told(report) if what == "edited") == 4
    assert {line for _, line, _, _ in told(report)} <= {4, 6, 9}


@pytest.mark.parametrize("text", ["", "7", "x:00", "7:00", "7:zz", ":"])
def test_a_head_is_a_number_and_a_hash(text: str) -> None:
    with pytest.raises(ValueError):
        known_head(text)


def test_numbers_go_on() -> None:
    numbers = [found.said.n for line in flat(written(3, 5, 2)) if (found := read(line))]
    assert all(after == before + 1 for before, after in pairwise(numbers))


# What operators did.


def acted(count: int) -> File:
    """So many acts, the last of them without a signature."""
    log = chain()
    file = lines(log.opening(at(0), EVERY))
    return [*file, *(log.record(act(number)) for number in range(count))]


def test_acts_are_counted_by_themselves() -> None:
    report = verified([acted(2)], live=True)
    assert report.whole
    assert (report.records, report.acts, report.unsigned) == (0, 2, 2)


def test_a_policy_that_is_put_in_force_is_counted_and_cannot_be_changed() -> None:
    log = chain()
    file = [*lines(log.opening(at(0), EVERY)), log.record(enforced()), log.record(record(1))]
    report = verified([file], live=True)
    assert report.whole
    assert (report.records, report.policies, report.unsigned) == (1, 1, 2)
    forged = [line.replace(b'"policy":"two"', b'"policy":"one"') for line in file]
    assert forged != file
    assert not verified([forged], live=True).whole


def test_acts_are_signed_in_time_as_records_are() -> None:
    assert verified([acted(EVERY)], live=True).whole
    found = told(verified([acted(EVERY + 1)], live=True))
    assert found == [("log.1", EVERY + 3, "unsigned", None)]


@pytest.mark.parametrize(("old", "new"), [(b"freeze", b"thawed"), (b"ops", b"bob")])
def test_an_act_that_is_changed_is_found(old: bytes, new: bytes) -> None:
    file = acted(2)
    file[2] = file[2].replace(old, new)
    assert not verified([file], live=True).whole


# What was found of suspects.


def found_out(count: int) -> File:
    """So much, the last of it without a signature."""
    log = chain()
    file = lines(log.opening(at(0), EVERY))
    return [*file, *(log.record(suspected(number)) for number in range(count))]


def test_what_was_found_of_suspects_is_counted_by_itself_and_signed_in_time() -> None:
    report = verified([found_out(2)], live=True)
    assert report.whole
    assert (report.records, report.suspected, report.unsigned) == (0, 2, 2)
    late = told(verified([found_out(EVERY + 1)], live=True))
    assert late == [("log.1", EVERY + 3, "unsigned", None)]


@pytest.mark.parametrize(("old", "new"), [(b"fidelity", b""), (b"suspected", b"act")])
def test_what_was_found_of_a_suspect_and_is_changed_is_noticed(old: bytes, new: bytes) -> None:
    file = found_out(2)
    file[2] = file[2].replace(old, new)
    assert not verified([file], live=True).whole


def test_commitments_are_counted_by_themselves_and_signed_in_time() -> None:
    log = chain()
    file = lines(log.opening(at(0), EVERY))
    file += [log.record(marked(number)) for number in range(2)]
    report = verified([file], live=True)
    assert report.whole
    assert (report.records, report.marks, report.unsigned) == (0, 2, 2)
    file[2] = file[2].replace(b"abab", b"baba", 1)
    assert not verified([file], live=True).whole


def test_what_detectors_learned_is_counted_by_itself() -> None:
    log = chain()
    file = lines(log.opening(at(0), EVERY))
    report = verified([[*file, log.record(seen(1)), log.record(record(2))]], live=True)
    assert report.whole
    assert (report.records, report.seen, report.unsigned) == (1, 1, 2)
