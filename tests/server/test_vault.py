"""What the vault holds is committed to; what it does not hold is counted, and comes again.

A full disk is a limit on the size of files, as in test_audit_log.py.
"""

import base64
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace as replaced

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.audit import Marked
from extproc.config import VaultPlan
from extproc.config.vault_key import new_pair
from extproc.dialects import TeiPredict
from extproc.draw import Draw
from extproc.errors import ConfigError
from extproc.events import RequestBody, RequestHeaders, ResponseBody
from extproc.marks.cells import Cells
from extproc.marks.entry import Entry, Line, opened, private_key, recipient
from extproc.marks.marking import LARGEST, Finding, Marks, Moved
from extproc.marks.pledge import Pledge
from extproc.mutators import Mark, Mutator
from extproc.policy import Policy
from extproc.prediction import Kind
from extproc.server.answered import Answered
from extproc.server.protobuf import AUTHZ, handover
from extproc.server.vault import KNOWN, WAITING, Vault
from tests.playbook import headers, policy, table
from tests.server.test_audit_log import full_disk, until
from tests.server.test_audited import asking
from tests.server.test_authz import KEY, principal
from tests.server.wire import Envoy, running
from tests.test_exchange import CLASSES

PRIVATE, PUBLIC = new_pair()
OPENING = private_key(PRIVATE)
ANSWERED = Answered(1_700_000_000.0, "r-1", "acme", "pair", "POST /v1/c", "digits", 3, "0" * 16)
NEVER = 3600.0
"""Seconds: the thread does nothing until the end."""


def finding(number: int = 1) -> Finding:
    return Finding("mark", f"{number:032x}", b'"s3cret %d"' % number, "cat", "dog")


def plan(folder: Path, **more: int) -> VaultPlan:
    return VaultPlan(folder / "marks.vault", recipient(PUBLIC), **more)


def vector(number: int = 1) -> Finding:
    moved = Moved("ab" * 32, 0.05, b"s3cret__")
    return Finding("embedding", f"{number:032x}", b'"s3cret %d"' % number, "", "", moved)


class Log:
    """The commitments, as an audit log gets them."""

    def __init__(self, *, room: bool = True) -> None:
        self.found: list[Marked] = []
        self.room = room

    def hand(self, marked: Marked) -> bool:
        if self.room:
            self.found.append(marked)
        return self.room


def marking(path: str, *, shadow: bool = False) -> Policy:
    """A route whose every answer is marked."""
    kinds: dict[Kind, Sequence[Mutator]] = {"probabilities": (Mark(rate=1.0),), "label": ()}
    marks = Marks(Cells(Draw(b"c" * 32)), Draw(b"m" * 32), 1.0)
    plain = policy(TeiPredict(), kinds=kinds, route=("POST", path), shadow=shadow)
    return replace(plain, draw=Draw(b"k" * 32), marks=marks, epoch=3)


UNDER = table(marking("/predict"), marking("/trial", shadow=True), tenants={principal(KEY): "acme"})


async def answered(
    envoy: Envoy, path: str, question: bytes, messages: int, *, leaving: bool = False
) -> None:
    """``leaving``: before the model has said anything."""
    checked = await envoy.check(asking(path))
    message = ProcessingRequest()
    message.metadata_context.filter_metadata[AUTHZ].CopyFrom(checked.dynamic_metadata)
    admitted = handover(message)
    assert admitted is not None
    stream = envoy.stream(admitted)
    await stream.send(RequestHeaders(end=False), RequestBody(question, end=True))
    if not leaving:
        await stream.send(headers(), ResponseBody(CLASSES, end=True))
    for _ in range(messages):
        await stream.receive()
    await stream.end()


async def test_what_was_answered_is_kept_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what a policy on trial would have served, nor what never came.

    Planted: keeping what the exchange in a shadow found commits to marks that nobody was told.
    """
    monkeypatch.chdir(tmp_path)
    log = Log()
    vault = Vault(plan(tmp_path), log.hand, NEVER)
    async with running(Path("s"), UNDER, vault=vault) as (sidecar, envoy):
        await answered(envoy, "/predict", b'{"inputs":"What is it?"}', 2)
        await answered(envoy, "/trial", b'{"inputs":"And on trial?"}', 4)
        await sidecar.server.stop(grace=5)
    vault.close()
    [entry], [marked] = entries(tmp_path), log.found
    assert (bytes(entry.input), entry.truth, entry.other) == (b'"What is it?"', "cat", "dog")
    assert (entry.tenant, entry.route, entry.epoch) == ("acme", "POST /predict", 3)
    assert entry.time == marked.time.isoformat(timespec="seconds") == "2027-01-15T08:00:00+00:00"
    assert len(bytes.fromhex(marked.request)) == 8


async def test_a_pledge_is_committed_to_with_an_answer_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: whoever asks for models that nobody has, and leaves, fills the vault with the list
    of each.
    """
    monkeypatch.chdir(tmp_path)
    pledge = Pledge("green_list", Draw(b"l" * 32), b"{}", "")
    pledged = replace(policy(TeiPredict(), route=("POST", "/predict")), pledges=(pledge,))
    vault = Vault(plan(tmp_path), Log().hand, NEVER)
    under = table(pledged, tenants={principal(KEY): "acme"})
    async with running(Path("s"), under, vault=vault) as (sidecar, envoy):
        await answered(envoy, "/predict", b'{"inputs":"What is it?"}', 1, leaving=True)
        await sidecar.server.stop(grace=5)
        assert len(vault._queue) == 0
    vault.close()


def lines(folder: Path) -> list[Line]:
    found = (folder / "marks.vault").read_bytes().splitlines()
    return [msgspec.json.decode(each, type=Line) for each in found if each.endswith(b"}")]


def entries(folder: Path) -> list[Entry]:
    return [opened(each, OPENING) for each in lines(folder)]


def test_an_entry_is_sealed_and_its_commitment_logged(tmp_path: Path) -> None:
    log = Log()
    vault = Vault(plan(tmp_path), log.hand)
    vault.add(ANSWERED, [finding()])
    vault.close()
    [entry], [line], [marked] = entries(tmp_path), lines(tmp_path), log.found
    assert bytes(entry.input) == b'"s3cret 1"'
    assert (entry.truth, entry.other, entry.stamp) == ("cat", "dog", "mark")
    assert (entry.tenant, entry.cohort, entry.model, entry.epoch) == ("acme", "pair", "digits", 3)
    assert marked.commitment == line.commitment
    assert (marked.cell, marked.stamp, marked.request) == (entry.cell, "mark", "r-1")
    assert vault.lost == 0
    assert vault.entries == 1
    assert (tmp_path / "marks.vault").stat().st_mode & 0o777 == 0o600


def test_neither_file_nor_log_tells_an_input_or_a_class(tmp_path: Path) -> None:
    """Planted: an entry that is written as it is fails here."""
    log = Log()
    vault = Vault(plan(tmp_path), log.hand)
    vault.add(ANSWERED, [finding()])
    vault.close()
    written = (tmp_path / "marks.vault").read_bytes() + msgspec.json.encode(log.found)
    for secret in (b"s3cret", b"cat", b"dog"):
        assert secret not in written


def test_a_cell_is_told_once(tmp_path: Path) -> None:
    """Planted: without it, whoever asks for one marked answer again and again fills the vault."""
    vault = Vault(plan(tmp_path), Log().hand)
    for _ in range(3):
        vault.add(ANSWERED, [finding(1), finding(2), finding(1)])
    vault.close()
    assert [entry.cell[-1] for entry in entries(tmp_path)] == ["1", "2"]


def test_as_many_cells_are_known_as_there_is_room_for(tmp_path: Path) -> None:
    vault = Vault(plan(tmp_path, queue=3), Log().hand, NEVER)
    vault._known.update(dict.fromkeys(map(str, range(KNOWN))))
    vault.add(ANSWERED, [finding(1)])
    assert len(vault._known) == KNOWN
    assert "0" not in vault._known
    vault.close()


def test_two_threads_may_forget_cells_at_once(tmp_path: Path) -> None:
    """Planted: looking for the oldest in a step of its own fails where the other forgets one."""
    vault = Vault(plan(tmp_path), Log().hand, NEVER)

    class Meddled(OrderedDict[str, None]):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("the other thread may change it meanwhile")

    vault._known = Meddled.fromkeys(map(str, range(KNOWN)))
    vault.add(ANSWERED, [finding(1)])
    assert len(vault._known) == KNOWN
    vault.close()


def test_what_finds_no_place_in_the_queue_is_counted_and_comes_again(tmp_path: Path) -> None:
    """Planted: knowing a cell before it is queued loses it for ever."""
    log = Log()
    vault = Vault(plan(tmp_path, queue=2), log.hand, NEVER)
    vault.add(ANSWERED, [finding(number) for number in range(5)])
    assert vault.lost == 3
    vault._turn()
    vault.add(ANSWERED, [finding(number) for number in range(5)])
    vault._turn()
    assert vault.lost == 4
    assert len(log.found) == len(entries(tmp_path)) == 4
    vault.close()


def test_a_full_disk_holds_nothing_up_and_leaves_no_half_of_a_line(tmp_path: Path) -> None:
    """Planted: not taking the part of a failed write away spoils the next entry."""
    log = Log()
    vault = Vault(plan(tmp_path), log.hand, NEVER)
    vault.add(ANSWERED, [finding(1)])
    vault._turn()
    size = (tmp_path / "marks.vault").stat().st_size
    with full_disk(size + 100):
        vault.add(ANSWERED, [finding(2)])
        vault._turn()
    assert (tmp_path / "marks.vault").stat().st_size == size
    assert (vault.lost, len(log.found)) == (1, 1)
    vault.add(ANSWERED, [finding(2)])
    vault.close()
    assert (len(entries(tmp_path)), len(log.found)) == (2, 2)


def test_no_more_entries_are_kept_than_it_may_hold(tmp_path: Path) -> None:
    log = Log()
    vault = Vault(plan(tmp_path, entries=2), log.hand, NEVER)
    vault.add(ANSWERED, [finding(number) for number in range(3)])
    vault._turn()
    assert (vault.entries, vault.lost, len(log.found)) == (2, 1, 2)
    (tmp_path / "marks.vault").rename(tmp_path / "older")
    vault.add(ANSWERED, [finding(2)])
    vault.close()
    assert (vault.entries, len(entries(tmp_path)), len(log.found)) == (1, 1, 3)


def test_an_embedding_is_sealed_with_its_key(tmp_path: Path) -> None:
    """Planted: an entry that is written as it is shows the key of the moves."""
    log = Log()
    vault = Vault(plan(tmp_path), log.hand)
    vault.add(ANSWERED, [vector()])
    vault.close()
    [entry], [marked] = entries(tmp_path), log.found
    assert entry.moved == vector().moved
    assert (entry.stamp, marked.stamp, marked.cell) == ("embedding", "embedding", entry.cell)
    written = (tmp_path / "marks.vault").read_bytes() + msgspec.json.encode(log.found)
    for secret in (b"s3cret", b"abab", base64.b64encode(b"s3cret__")):
        assert secret not in written


def test_embeddings_leave_half_of_all_room_to_marks(tmp_path: Path) -> None:
    """Planted: a tenant of many texts keeps the marks of labels out of the vault."""
    vault = Vault(plan(tmp_path, queue=6, entries=8), Log().hand, NEVER)
    vault.add(ANSWERED, [vector(number) for number in range(5)])
    assert vault.lost == 2
    vault.add(ANSWERED, [finding(number) for number in range(10, 13)])
    assert vault.lost == 2
    vault._turn()
    vault.add(ANSWERED, [vector(20)])
    vault.add(ANSWERED, [finding(21)])
    assert vault.lost == 3
    vault.close()
    assert [entry.stamp for entry in entries(tmp_path)] == ["embedding"] * 3 + ["mark"] * 4


def test_embeddings_come_again_once_a_full_vault_was_moved_away(tmp_path: Path) -> None:
    """Planted: counting only what is written leaves them out for ever, where nothing else comes."""
    vault = Vault(plan(tmp_path, entries=4), Log().hand, NEVER)
    for number in (1, 2, 3):
        vault.add(ANSWERED, [vector(number)])
        vault._turn()
    assert (vault.entries, vault.lost) == (2, 1)
    (tmp_path / "marks.vault").rename(tmp_path / "older")
    vault.add(ANSWERED, [vector(3)])
    vault._turn()
    vault.add(ANSWERED, [vector(3)])
    vault.close()
    assert len(entries(tmp_path)) == 1


def test_the_queue_is_bounded_in_octets_too(tmp_path: Path) -> None:
    """Planted: a bound of entries alone, each of them as large as it may be."""
    large = b'"' + b"a" * (LARGEST - 2) + b'"'
    most = WAITING // LARGEST
    vault = Vault(plan(tmp_path, queue=10 * most), Log().hand, NEVER)
    moved = [replaced(vector(number), input=large) for number in range(most)]
    vault.add(ANSWERED, moved)
    assert len(vault._queue) == most // 2 - 1
    vault.add(ANSWERED, [replaced(finding(most + at), input=large) for at in range(most)])
    assert len(vault._queue) == most - 1
    vault._queue.clear()
    vault.close()


def test_what_has_been_written_takes_no_room_in_the_queue(tmp_path: Path) -> None:
    """Planted: octets that are counted as they come, and not as they go."""
    vault = Vault(plan(tmp_path), Log().hand, NEVER)
    vault.add(ANSWERED, [finding(), vector(2)])
    assert vault.waiting == len(b'"s3cret 1"' + b'"s3cret 2"' + b"s3cret__")
    vault._turn()
    assert vault.waiting == 0
    vault.close()


def test_what_another_process_has_added_counts_and_what_a_crash_has_torn_is_ended(
    tmp_path: Path,
) -> None:
    path = tmp_path / "marks.vault"
    vault = Vault(plan(tmp_path, entries=3), Log().hand, NEVER)
    path.write_bytes(b"{}\n{}\n{torn")
    vault.add(ANSWERED, [finding(1)])
    vault.close()
    assert path.read_bytes().startswith(b'{}\n{}\n{torn\n{"commitment"')


def test_what_the_audit_log_has_no_room_for_is_lost_and_comes_again(tmp_path: Path) -> None:
    log = Log(room=False)
    vault = Vault(plan(tmp_path), log.hand, NEVER)
    vault.add(ANSWERED, [finding()])
    vault._turn()
    log.room = True
    vault.add(ANSWERED, [finding()])
    vault.close()
    assert (vault.lost, len(log.found)) == (1, 1)


def test_a_vault_that_goes_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    vault = Vault(plan(folder), Log().hand, NEVER)
    (folder / "marks.vault").unlink()
    folder.rmdir()
    vault.add(ANSWERED, [finding()])
    vault.close()
    assert vault.lost == 1


def test_a_vault_that_cannot_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ownership\.vault: .*its folder must exist"):
        Vault(plan(tmp_path / "nowhere"), Log().hand)


def test_two_processes_may_share_one(tmp_path: Path) -> None:
    """Each holds the file while it writes."""
    vaults = [Vault(plan(tmp_path), Log().hand, 0.001) for _ in range(2)]
    for number in range(40):
        vaults[number % 2].add(ANSWERED, [finding(number)])
    until(lambda: len((tmp_path / "marks.vault").read_bytes().splitlines()) == 40)
    for vault in vaults:
        vault.close()
    assert len(entries(tmp_path)) == 40
