"""Fields that an operator lets through, by their paths."""

import pytest

from extproc.dialects.allowing import allowing
from extproc.dialects.shape import Rewrite
from tests.dialects.test_shape import TREE
from tests.dialects.tiers import MODEL, OPEN


def test_a_field_passes_when_it_is_allowed_by_name() -> None:
    tree = allowing(allowing(TREE, ["rows", "extra"]), ["usage", "details"])
    answer = {"rows": [{"extra": {"deep": [1]}, "more": 1}], "usage": {"details": {"a": 1}}}
    run = Rewrite(OPEN, MODEL)
    assert tree.rewrite(answer, run, "") == {
        "rows": [{"extra": {"deep": [1]}}],
        "usage": {"details": {"a": 1}},
    }
    assert run.dropped == {"rows[].*": 1}


def test_what_is_allowed_inside_a_closed_part_stays_closed() -> None:
    tree = allowing(TREE, ["usage", "details"])
    assert tree.rewrite({"usage": {"details": {"a": 1}}}, Rewrite({}, MODEL), "") == {}


def test_allowing_a_field_leaves_the_tree_itself_as_it_was() -> None:
    allowing(TREE, ["rows", "extra"])
    assert TREE.rewrite({"rows": [{"extra": 1}]}, Rewrite(OPEN, MODEL), "") == {"rows": [{}]}


@pytest.mark.parametrize(
    ("path", "blamed"),
    [
        (["rows"], "rows"),
        (["usage"], "usage"),
        (["rows", "score"], "score"),
        (["nowhere", "extra"], "nowhere"),
        (["id", "extra"], "extra"),
        (["rows", "score", "extra"], "extra"),
    ],
)
def test_a_path_that_opens_a_known_field_or_leads_nowhere_is_refused(
    path: list[str], blamed: str
) -> None:
    with pytest.raises(KeyError, match=blamed):
        allowing(TREE, path)
