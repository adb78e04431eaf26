"""What counts of an audit log: what is whole, signed, and early enough."""

from datetime import timedelta
from pathlib import Path

import pytest

from extproc.audit import Marked
from extproc.audit.verification import known_head
from extproc.auditor.keys import new_pair
from extproc.errors import ConfigError
from extproc.ownership.commitments import Bounds, Committed, committed
from tests.ownership.making import DAY, Made


def read(made: Made, bounds: Bounds | None = None, *, live: bool = False) -> Committed:
    return committed([made.log], [made.folder / "audit.pub"], bounds or Bounds(), live=live)


def test_each_line_counts_from_the_checkpoint_on_that_signs_it(made: Made) -> None:
    """Planted: counting lines as they come counts what nobody has signed."""
    made.some(2, 3)
    made.checkpoint(days=2)
    made.some(1, 0, start=9)
    made.log.write_bytes(b"".join(made.lines))
    found = read(made, live=True)
    assert [each.marked.cell for each in found.counted] == ["0", "1", "2", "3", "4"]
    assert {each.signed for each in found.counted} == {DAY + timedelta(days=2)}
    assert (found.unsigned, found.late) == (1, 0)


def test_what_was_signed_later_does_not_count(made: Made) -> None:
    made.some(1, 1)
    made.checkpoint(days=1)
    made.some(1, 1, start=5)
    made.checkpoint(days=1)
    made.write()
    found = read(made, Bounds(before=DAY + timedelta(days=1, hours=1)))
    assert [each.marked.cell for each in found.counted] == ["0", "1"]
    assert found.late == 2


def test_what_stands_behind_the_anchor_does_not_count(made: Made) -> None:
    made.some(1, 1)
    made.checkpoint()
    head = str(made.chain.tip)
    made.some(1, 1, start=5)
    made.write()
    found = read(made, Bounds((known_head(head),)))
    assert [each.marked.cell for each in found.counted] == ["0", "1"]
    assert found.late == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [*lines[:2], lines[2].replace(b"control", b"mark"), *lines[3:]],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: lines[:-1],
        lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    ],
)
def test_nothing_counts_of_a_log_that_is_not_whole(made: Made, damage: object) -> None:
    """Planted: going on in spite of findings fails here, four times."""
    made.some(0, 4)
    made.write()
    assert callable(damage)
    made.log.write_bytes(b"".join(damage(made.lines)))
    with pytest.raises(ConfigError, match="nothing counts of a log that is not whole"):
        read(made)


def test_a_log_that_another_key_signed_does_not_count(made: Made) -> None:
    made.some(1, 1)
    made.write()
    (made.folder / "audit.pub").write_bytes(new_pair()[1])
    with pytest.raises(ConfigError, match="signed with a key that was not given"):
        read(made)


def test_another_log_than_the_anchors_does_not_count(made: Made) -> None:
    """A log that was written anew, with other dates, after the suspect was seen."""
    made.some(1, 1)
    made.write()
    with pytest.raises(ConfigError, match="line 3, the anchor, is in none of these"):
        read(made, Bounds((known_head(f"3:{'0' * 64}"),)))


def test_an_anchor_that_is_in_older_files_is_looked_for_there(made: Made) -> None:
    """Planted: without it, an anchor that no file holds is as good as one that was found."""
    made.some(1, 1)
    made.checkpoint()
    older = len(made.lines)
    made.lines.append(made.chain.opening(made.now, 1000))
    made.some(1, 1, start=5)
    made.write()
    made.log.write_bytes(b"".join(made.lines[older:]))
    assert len(read(made).counted) == 2
    with pytest.raises(ConfigError, match="line 2, the anchor, is in none of these"):
        read(made, Bounds((known_head(f"2:{'0' * 64}"),)))


def test_several_replicas_have_a_log_each(made: Made, tmp_path: Path) -> None:
    """Planted: read as one, the second is an edited continuation of the first."""
    folder = tmp_path / "other"
    folder.mkdir()
    other = Made(folder)
    other.some(1, 1, start=50)
    other.write()
    made.some(1, 1)
    made.checkpoint(days=1)
    head = known_head(str(made.chain.tip))
    made.write()
    paths, keys = [made.log, other.log], [made.folder / "audit.pub"]
    found = committed(paths, keys, Bounds(), live=False)
    assert [each.marked.cell for each in found.counted] == ["32", "33", "0", "1"]
    assert len(found.logs) == 2
    anchored = committed(paths, keys, Bounds((head,)), live=False)
    assert [each.marked.cell for each in anchored.counted] == ["0", "1"]
    assert anchored.late == 2


def test_a_mark_that_this_version_cannot_read_is_said(made: Made) -> None:
    """Of a later version, which may mark otherwise."""
    more = {"tenant": "t", "cohort": "", "route": "r", "model": "m", "cell": "0"}
    marked = Marked(made.now, "", commitment="", stamp="later", **more)  # type: ignore[arg-type]
    made.lines.append(made.chain.record(marked))
    made.write()
    with pytest.raises(ConfigError, match=f"line {made.chain.tip.number - 1} of the log"):
        read(made)
