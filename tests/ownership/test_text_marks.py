"""What counts of texts is what was committed to, each once, and the missing too."""

import msgspec
import pytest

from extproc.audit import Marked
from extproc.marks.entry import commitment
from extproc.marks.marking import Finding
from extproc.ownership.commitments import Bounds
from tests.marks.wordlists import vocabulary
from tests.ownership.making import Made
from tests.ownership.writing import canary, keep, listed, marks, whose

FIELDS = {"tenant": "acme", "cohort": "", "model": "chat", "route": "POST /chat"}


def test_a_list_counts_once_wherever_it_was_in_force(made: Made) -> None:
    key = listed(made)
    listed(made)
    listed(made, model="large", route="POST /v1/completions")
    other = listed(made, tenant="one", cohort="pair")
    listed(made, tenant="two", cohort="pair")
    found = marks(made)
    assert [each.name for each in found.sought] == [
        "green list of tenant acme, models chat, large",
        "green list of cohort pair, model chat",
    ]
    assert [each.listed.key for each in found.sought if each.listed] == [key, other]
    assert [len(each.commitments) for each in found.sought] == [3, 2]
    assert (found.uncommitted, found.contradicting, len(found.entries)) == (0, 0, 5)


def test_the_references_of_a_model_are_looked_for_together(made: Made) -> None:
    said = [canary(made, at) for at in (0, 1, 0)]
    canary(made, model="large")
    made.mark(1, "mark")
    first, second = marks(made).sought
    assert list(first.references) == said[:2]
    assert (first.models, second.models) == (["chat"], ["large"])
    assert len(first.commitments) == 3


def test_what_one_model_was_asked_for_can_be_looked_at_alone(made: Made) -> None:
    listed(made)
    listed(made, model="large")
    canary(made)
    assert [each.name for each in marks(made, model="large").sought] == [
        "green list of tenant acme, model large"
    ]


def test_what_was_not_committed_to_before_does_not_count(made: Made) -> None:
    """Planted: an entry that nobody held before is a key that was searched for until it fits."""
    listed(made)
    made.checkpoint(days=1)
    late = made.now
    listed(made, tenant="late")
    made.checkpoint(days=1)
    free = whose("free")
    entry = msgspec.structs.replace(made.entries[0], other=free.key.hex())
    made.keep(entry, committed=False)
    found = marks(made, bounds=Bounds(before=late.replace(hour=1)))
    assert [each.whose for each in found.sought] == ["tenant acme"]
    assert found.uncommitted == 2


def test_a_list_that_is_missing_is_looked_for_all_the_same(made: Made) -> None:
    """Planted: whoever leaves out the lists that do not fit is corrected for fewer."""
    listed(made)
    keep(made, Finding("green_list", "a", b"{}", "", "0" * 64), vault=False, **FIELDS)
    keep(made, Finding("canary", "b", b"{}", "", "babab-babab-babab"), vault=False, **FIELDS)
    first, lost, canaries = marks(made).sought
    assert first.listed is not None
    assert (lost.listed, lost.missing, canaries.missing) == (None, 1, 1)
    assert canaries.references == {}


@pytest.mark.parametrize(
    ("stamp", "used_with", "told"),
    [
        ("green_list", b"{}", "0" * 64),
        ("green_list", vocabulary().json, "0" * 63),
        ("green_list", vocabulary().json, "no key"),
        ("canary", b'"What?"', "the"),
        ("canary", b'"What?"', "babab-babab"),
    ],
)
def test_what_no_key_draws_counts_as_missing(
    made: Made, stamp: str, used_with: bytes, told: str
) -> None:
    """Planted: a reference that is a common word stands in every text."""
    keep(made, Finding(stamp, "a", used_with, "", told), **FIELDS)  # type: ignore[arg-type]
    found = marks(made)
    assert found.contradicting == 1
    assert found.sought[0].missing == 1
    assert found.entries == []


def test_an_entry_that_says_otherwise_than_the_log_counts_as_missing(made: Made) -> None:
    """Planted: a list of one tenant's that is put down to another."""
    listed(made)
    entry = msgspec.structs.replace(made.entries[0], salt="another")
    made.keep(entry, committed=False)
    sealed = commitment(msgspec.json.encode(entry))
    more = {**FIELDS, "tenant": "evil", "cell": entry.cell, "stamp": entry.stamp}
    marked = Marked(time=made.now, request="r", commitment=sealed, **more)  # type: ignore[arg-type]
    made.lines.append(made.chain.record(marked))
    found = marks(made)
    assert found.contradicting == 1
    assert [(each.whose, each.missing) for each in found.sought] == [
        ("tenant acme", 0),
        ("tenant evil", 1),
    ]
