"""Whether an audit log is whole, and where it is not.

Rule: files are read in order, once, a line at a time, in memory that does not grow with them.  What
the log itself tells (gaps) is no fault; what it does not tell is: a line that was edited, is
missing, stands elsewhere, is not signed in time, or an end that is no end.
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from extproc.audit import signature
from extproc.audit.chain import GENESIS, Line, Tip, opened_on, read

MOST: Final = 1000
"""Findings that are listed; beyond them they are counted."""

What = Literal["edited", "missing", "reordered", "cut", "unsigned"]


class Finding(Struct):
    file: str
    line: int
    what: What
    detail: str
    count: int | None = None
    """How many lines are missing, where that is what is wrong; None where nobody can know."""


class Told(Struct, frozen=True):
    """A gap that the log itself tells."""

    file: str
    line: int
    reason: str
    count: int | None
    torn: int


class Report(Struct, frozen=True):
    files: Sequence[str]
    lines: int
    records: int
    acts: int
    """Lines of what operators did."""
    suspected: int
    """Lines of what was found of suspects."""
    seen: int
    """Lines of what detectors learned of exchanges."""
    policies: int
    """Lines of which policy was in force from then on."""
    marks: int
    """Lines that commit to marks, or to controls."""
    first: int | None
    """Number of the first line; more than 1 where older files are not here."""
    head: str
    """Number and hash of the last line: what a later verification may be told to expect."""
    unsigned: int
    """Of all these, those after the last checkpoint, which only the hashes protect."""
    gaps: Sequence[Told]
    findings: Sequence[Finding]
    unlisted: int
    """Findings beyond those listed."""

    @property
    def whole(self) -> bool:
        return not self.findings


class Verification:
    """Feed it the files in order, then ``finish``."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey], known: Tip | None = None) -> None:
        """``keys`` by their names; ``known`` is the head that an earlier verification found."""
        self._keys, self._known = keys, known
        self._files: list[str] = []
        self._findings: list[Finding] = []
        self._gaps: list[Told] = []
        self._missing: list[tuple[int, int, Finding]] = []
        """Numbers from and below which lines are missing."""
        self._bases: tuple[bytes, ...] = ()
        """What the next line may follow; none where that cannot be known."""
        self._next: int | None = None
        self._first: int | None = None
        self._head = Tip()
        self._end = ""
        self._lines = self._unsigned = self._every = self._unlisted = 0
        self._told = Counter[str]()
        """Lines of each kind that the log was told."""
        self._torn = False
        """Whether the last line has no end."""
        self._place = ("", 0)

    def file(self, name: str, lines: Iterable[bytes]) -> None:
        """``lines`` with their line breaks."""
        self._report_torn()
        self._files.append(name)
        number = 0
        for number, (raw, following) in enumerate(pairwise(chain(lines, (b"",))), 1):
            self._place = (name, number)
            self._read(raw, following)
        if not number:
            self._place = (name, 1)
            self._find("cut", "the file is empty")

    def finish(self, *, live: bool) -> Report:
        """``live``: the log is being written; its end may be open, and its last line torn."""
        if not live:
            self._report_torn()
            if self._end != "stopped":
                self._find("cut", "the log does not end with a closing line: its end is missing")
        self._compare_known()
        return Report(
            files=self._files,
            lines=self._lines,
            records=self._told["exchange"],
            acts=self._told["act"],
            suspected=self._told["suspected"],
            seen=self._told["seen"],
            policies=self._told["policy"],
            marks=self._told["mark"],
            first=self._first,
            head=str(self._head),
            unsigned=self._unsigned,
            gaps=self._gaps,
            findings=[found for found in self._findings if found.count != 0],
            unlisted=self._unlisted,
        )

    def _report_torn(self) -> None:
        if self._torn:
            self._find("cut", "the last line is torn")

    def _compare_known(self) -> None:
        if self._known is not None and self._head.number < self._known.number:
            count = self._known.number - self._head.number
            wrong = f"the log was longer: it ended with line {self._known.number}"
            self._find("cut", wrong, count)

    def _find(self, what: What, detail: str, count: int | None = None) -> Finding:
        finding = Finding(*self._place, what, detail, count)
        if len(self._findings) < MOST:
            self._findings.append(finding)
        else:
            self._unlisted += 1
        return finding

    def _read(self, raw: bytes, following: bytes) -> None:
        self._lines += 1
        line = read(raw)
        self._torn = not following and not raw.endswith(b"\n")
        if line is None:
            self._bases, self._end = (), ""
            if not self._torn:
                self._find("edited", "this is no line of an audit log")
            self._next = None if self._next is None else self._next + 1
            return
        if self._place[1] == 1 and line.said.kind != "open":
            self._find("missing", "the file does not begin with its first line")
        if self._next is None:
            self._begin(line)
        self._order(line, read(following))

    def _begin(self, line: Line) -> None:
        """The first line that can be read."""
        opening = line.said.kind == "open"
        self._first = self._next = line.said.n
        self._bases = (opened_on(line.said),) if opening else ()
        if opening and line.said.n == 1 and line.said.previous != GENESIS.hex():
            self._find("edited", "the first line of a log follows none")

    def _order(self, line: Line, following: Line | None) -> None:
        assert self._next is not None
        number = line.said.n
        renumbered = following is not None and following.said.n == self._next + 1
        if number == self._next or renumbered:
            self._in_place(line)
        elif number > self._next:
            self._jump(line, number - self._next)
        else:
            self._back(number)

    def _in_place(self, line: Line) -> None:
        assert self._next is not None
        if line.said.n != self._next or (
            self._bases and not any(line.follows(base) for base in self._bases)
        ):
            self._find("edited", "this line, or its hash, is not what was written after the last")
        self._take(line, self._next)

    def _jump(self, line: Line, count: int) -> None:
        assert self._next is not None
        lines = "1 line is" if count == 1 else f"{count} lines are"
        found = self._find("missing", f"{lines} missing before this one", count)
        self._missing.append((self._next, line.said.n, found))
        self._bases = (opened_on(line.said),) if line.said.kind == "open" else ()
        self._take(line, line.said.n)

    def _back(self, number: int) -> None:
        """A line that should stand above."""
        for index, (start, stop, found) in enumerate(self._missing):
            if start <= number < stop:
                parts = [(start, number, found), (number + 1, stop, found)]
                self._missing[index : index + 1] = [part for part in parts if part[0] < part[1]]
                found.count = (found.count or 1) - 1
                found.detail = f"{found.count} lines are missing before this one"
                self._find("reordered", f"line {number} of the log belongs further up")
                return
        self._find("reordered", f"line {number} of the log stands here again")

    def _take(self, line: Line, number: int) -> None:
        """Go on from this line, whatever it is worth."""
        said = line.said
        self._check_kind(line)
        self._check_known(line)
        self._bases = tuple({line.claimed, *(line.hash(base) for base in self._bases)})
        self._next = number + 1
        self._head = Tip(number, line.claimed)
        self._end = said.end

    def _check_kind(self, line: Line) -> None:
        said = line.said
        match said.kind:
            case "exchange" | "act" | "suspected" | "seen" | "policy" | "mark":
                self._told[said.kind] += 1
                self._count_unsigned()
            case "open":
                self._every = said.every
            case "gap":
                self._gaps.append(Told(*self._place, said.reason, said.count, said.torn))
            case "checkpoint":
                self._check_signature(line)
            case _:
                self._find("edited", "there is no such kind of line")

    def _count_unsigned(self) -> None:
        self._unsigned += 1
        if self._every and self._unsigned == self._every + 1:
            self._find("unsigned", f"no checkpoint among {self._every} records")

    def _check_signature(self, line: Line) -> None:
        key = self._keys.get(line.said.key)
        if key is None:
            self._find("edited", f"signed with a key that was not given: {line.said.key[:16]!a}")
            return
        try:
            made = b64decode(line.said.signature, validate=True)
        except ValueError:
            made = b""
        if self._bases and not any(
            signature.verifies(key, made, line.signed(base)) for base in self._bases
        ):
            self._find("edited", "the signature is not of what stands here and before")
        self._unsigned = 0

    def _check_known(self, line: Line) -> None:
        known = self._known
        if known is not None and line.said.n == known.number and line.claimed != known.hash:
            self._find("edited", "this is not the line that the earlier verification found")


def known_head(text: str) -> Tip:
    """What a Report calls its head.  Raise ValueError where it is none."""
    number, _, digest = text.partition(":")
    tip = Tip(int(number), bytes.fromhex(digest))
    if len(tip.hash) != len(GENESIS):
        raise ValueError("no hash")
    return tip
