"""What is committed to of lists, and of processors."""

from extproc.draw import Draw
from extproc.marks.marking import Kept
from extproc.marks.pledge import Pledge

PLEDGE = Pledge("green_list", Draw(b"k" * 32), b"[]", "6b" * 32)


def test_each_model_and_each_route_has_a_line_of_its_own() -> None:
    places = [("gpt", "POST /a"), ("gpt", "POST /b"), ("other", "POST /a")]
    found = [PLEDGE.finding(*place) for place in places]
    assert len({each.cell for each in found}) == 3
    assert PLEDGE.finding(*places[0]) == found[0]
    assert {(each.stamp, each.input, each.other) for each in found} == {
        ("green_list", b"[]", "6b" * 32)
    }


def test_its_name_tells_nothing_of_the_key() -> None:
    found = PLEDGE.finding("gpt", "POST /a")
    assert found.cell not in PLEDGE.told
    assert len(found.cell) == 32


def test_where_it_is_printed_its_key_is_not() -> None:
    """Planted: beside a key that is not shown, the same in digits."""
    assert PLEDGE.told not in repr(PLEDGE)
    assert PLEDGE.told not in repr(Kept("cell", b"{}", PLEDGE.told, 0.05))
