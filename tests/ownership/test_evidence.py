"""Who was told what: only what is committed to counts, and what is missing is not forgotten."""

from typing import Any

import msgspec

from extproc.audit import Marked
from extproc.draw import Draw
from extproc.marks.entry import Entry, Line
from extproc.ownership.commitments import Bounds, committed
from extproc.ownership.evidence import Cell, Evidence, Holder, chosen, gathered, sheet
from extproc.ownership.vault_file import open_vault, read_key
from tests.ownership.making import Made, question
from tests.ownership.moving import MODEL, holder, told, world

ACME, OTHER = Holder("digits", "", "acme"), Holder("digits", "", "other")


def evidence(made: Made, model: str = "") -> Evidence:
    made.write()
    found = committed([made.log], [made.folder / "audit.pub"], Bounds(), live=False)
    opened = open_vault([made.vault], read_key(made.folder / "vault.pem"))
    return gathered(found.counted, opened.entries, model)


def test_cells_are_put_together_by_cohort_or_tenant_and_model(made: Made) -> None:
    made.mark(1, "mark")
    made.mark(2, "control", tenant="one", cohort="pair")
    made.mark(3, "mark", tenant="two", cohort="pair")
    made.mark(4, "mark", model="other")
    found = evidence(made)
    pair = Holder("digits", "pair", "")
    assert {who: len(cells) for who, cells in found.cells.items()} == {
        ACME: 1,
        pair: 2,
        Holder("other", "", "acme"): 1,
    }
    assert found.tenants[pair] == ["one", "two"]
    assert (ACME.name, pair.name) == ("tenant acme", "cohort pair")


def test_of_one_model_only_where_one_is_named(made: Made) -> None:
    made.mark(1, "mark")
    made.mark(2, "mark", model="other")
    found = evidence(made, "digits")
    assert list(found.cells) == [ACME]
    assert found.uncommitted == 0


def test_what_nothing_commits_to_does_not_count(made: Made) -> None:
    """Planted: counting each entry of the vault makes a mark of whatever its owner puts there."""
    made.some(1, 1)
    made.mark(9, "mark", committed=False)
    found = evidence(made)
    assert len(found.cells[ACME]) == 2
    assert found.uncommitted == 1


def test_an_entry_that_is_missing_is_a_cell_nevertheless(made: Made) -> None:
    """Planted: forgetting it lets its owner choose which marks are looked at."""
    made.some(3, 0)
    made.sealed.pop(1)
    found = evidence(made)
    assert sorted(cell.entry is None for cell in found.cells[ACME]) == [False, False, True]


def test_a_cell_counts_once_by_its_first_commitment(made: Made) -> None:
    """Planted: the last one lets its owner put another in its place."""
    first = made.mark(1, "mark")
    made.mark(1, "control")
    [cell] = evidence(made).cells[ACME]
    assert (cell.stamp, cell.entry) == ("mark", first)


def test_an_entry_that_says_otherwise_than_the_log_counts_as_missing(made: Made) -> None:
    """As if the log had called this mark a control."""
    entry = made.mark(2, "mark", committed=False)
    line = msgspec.json.decode(made.sealed[-1], type=Line)
    marked = Marked(
        time=made.now,
        request="r",
        tenant=entry.tenant,
        cohort=entry.cohort,
        route=entry.route,
        model=entry.model,
        cell=entry.cell,
        stamp="control",
        commitment=line.commitment,
    )
    made.lines.append(made.chain.record(marked))
    found = evidence(made)
    assert found.contradicting == 1
    assert [cell.entry for cell in found.cells[ACME]] == [None]


def test_cells_stand_in_an_order_that_nobody_chose(made: Made) -> None:
    made.some(20, 20)
    cells = evidence(made).cells[ACME]
    assert [cell.commitment for cell in cells] == sorted(cell.commitment for cell in cells)
    assert {cell.stamp for cell in cells[:20]} == {"mark", "control"}


def test_a_sheet_has_each_question_once_in_an_order_of_their_own(made: Made) -> None:
    """Planted: in the order of the vault, the first half would be marks."""
    made.some(10, 10)
    cells = evidence(made).cells[ACME]
    names = [question.question for question in sheet({ACME: cells, OTHER: cells[:5]})]
    assert names == sorted(names)
    assert len(names) == 20
    stamps = {question(entry): entry.stamp for entry in made.entries}
    assert {stamps[name] for name in names[:10]} == {"mark", "control"}


def test_what_is_missing_cannot_be_asked() -> None:
    assert sheet({ACME: [Cell("0", "mark", None, None)]}) == []


def test_no_more_is_asked_than_is_allowed_of_each_the_same(made: Made) -> None:
    made.some(4, 16)
    made.some(1, 2, start=50, tenant="other")
    every = evidence(made)
    found = chosen(every, 10)
    assert {who: len(each) for who, each in found.items()} == {ACME: 5, OTHER: 3}
    assert found[ACME] == every.cells[ACME][:5]


def kept(made: Made, tenant: str = "acme", **more: Any) -> list[Entry]:
    texts = world().texts[:6]
    _, entries = told(tenant, texts, world().private(texts), **more)
    return [made.keep(entry) for entry in entries]


def test_embeddings_are_apart_from_labels_of_the_same_model(made: Made) -> None:
    made.mark(1, "mark", model=MODEL)
    kept(made)
    found = evidence(made)
    assert {who: len(each) for who, each in found.cells.items()} == {
        Holder(MODEL, "", "acme"): 1,
        holder("acme"): 6,
    }
    assert found.contradicting == 0
    texts = {question.input for question in sheet({holder("acme"): found.cells[holder("acme")]})}
    assert texts == {*world().texts[:6]}


def test_an_embedding_that_does_not_prove_itself_counts_as_missing(made: Made) -> None:
    """Planted: believing each entry its key lets its owner commit to several, and choose."""
    [first, second, third, *_] = kept(made)
    texts = world().texts[6:8]
    _, others = told("acme", texts, world().private(texts), key=Draw(b"another key" * 3))
    made.keep(others[0])  # of another key than the first of that epoch
    made.keep(msgspec.structs.replace(first, cell="ab" * 16))
    made.keep(msgspec.structs.replace(second, cell="cd" * 16, moved=None))
    assert third.moved is not None
    [cells] = evidence(made).cells.values()
    assert sorted(cell.entry is None for cell in cells) == [False] * 6 + [True] * 3
    later = Made(made.folder)
    kept(later)
    kept(later, epoch=2)
    assert evidence(later).contradicting == 0
