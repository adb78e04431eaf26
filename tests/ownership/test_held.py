"""Whose marks there are, and whether they are enough."""

from extproc.ownership.commitments import Bounds, committed
from extproc.ownership.held import Held, held
from extproc.ownership.judging import LEVEL
from extproc.ownership.power import ENOUGH_TEXTS, needed
from tests.ownership.making import DAY, Made
from tests.ownership.moving import MODEL, told, world


def found(made: Made) -> list[Held]:
    made.write()
    return held(committed([made.log], [made.folder / "audit.pub"], Bounds(), live=False).counted)


def test_marks_are_counted_for_whom_they_were(made: Made) -> None:
    made.some(2, 8, cohort="pair")
    made.checkpoint(days=3)
    made.some(1, 4, start=20, tenant="two", cohort="pair")
    made.some(100, 400, start=100, tenant="alone")
    pair, alone = sorted(found(made), key=lambda each: each.marks)
    assert (pair.name, pair.tenants) == ("cohort pair, model digits", ["acme", "two"])
    assert (pair.marks, pair.controls, pair.enough) == (3, 12, False)
    assert (pair.last - pair.first).days == 3
    assert pair.first == DAY
    assert (alone.marks, alone.controls, alone.enough) == (100, 400, True)
    assert alone.needed == pair.needed == needed(LEVEL)


def test_texts_are_counted_apart_from_labels(made: Made) -> None:
    texts = world().texts[:4]
    for entry in told("acme", texts, world().private(texts))[1]:
        made.keep(entry)
    made.mark(1, "mark", model=MODEL)
    embeddings, labels = sorted(found(made), key=lambda each: each.marks)
    assert (embeddings.texts, embeddings.marks, embeddings.controls) == (4, 0, 0)
    assert (embeddings.enough, embeddings.needed) == (False, ENOUGH_TEXTS)
    assert (labels.texts, labels.marks) == (0, 1)


def test_a_cell_that_is_committed_to_again_is_one(made: Made) -> None:
    made.mark(1, "mark")
    made.mark(1, "mark")
    [acme] = found(made)
    assert (acme.marks, acme.controls) == (1, 0)
