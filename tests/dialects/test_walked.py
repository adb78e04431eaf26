"""What is kept of an object that is being walked."""

import pytest

from extproc.dialects.shape import Fields, Keep
from extproc.dialects.walked import NAME_COST, Frame
from extproc.errors import UpstreamError

CAP = 2 * NAME_COST + 2


def frame(place: str) -> Frame:
    return Frame(Fields({"a": Keep()}), place, ord("}"))


def test_names_of_one_object_are_noted_up_to_the_cap() -> None:
    one = frame("")
    one.add("a", CAP)
    one.add("b", CAP)
    assert one.names == {"a", "b"}
    with pytest.raises(UpstreamError, match=f"the keys of the answer are over {CAP} bytes"):
        one.add("c", CAP)


@pytest.mark.parametrize(("place", "named"), [("", "the answer"), ("rows[]", r"rows\[\]")])
def test_no_name_is_noted_twice(place: str, named: str) -> None:
    one = frame(place)
    one.add("a", CAP)
    with pytest.raises(UpstreamError, match=f"{named} repeats a key"):
        one.add("a", CAP)
