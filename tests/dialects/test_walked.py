"""What is kept of an object that is being walked."""

import pytest

from extproc.dialects.gathered import Collected, Gathered
from extproc.dialects.mutation import Gathering
from extproc.dialects.shape import Fields, Items, Keep, Rewrite
from extproc.dialects.walked import NAME_COST, Aside, Frame, flat_object
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


FLAT = b'{"a":1,"b":"x"}'


def flat(text: bytes, cap: int = 1000) -> tuple[dict[str, object] | None, int]:
    return flat_object(bytearray(b"[" + text), 1, len(text) + 1, cap)


def test_a_flat_object_is_read_at_once() -> None:
    assert flat(FLAT + b",7]") == ({"a": 1, "b": "x"}, len(FLAT) + 1)


@pytest.mark.parametrize(
    "text", [b'{"a":1', b'{"a":[1]}', b'{"a": 1}', b'{"a":1,"a":1}', b'{"a":{"b":1}}', b"{]}"]
)
def test_what_is_not_flat_or_not_written_as_we_write_is_walked(text: bytes) -> None:
    assert flat(text)[0] is None


def test_an_object_over_the_cap_is_walked() -> None:
    assert flat(FLAT, len(FLAT) + 2 * NAME_COST) != (None, 1)
    assert flat(FLAT, len(FLAT) + 2 * NAME_COST - 1) == (None, 1)


def test_what_waits_aside_is_bounded_and_filled_when_it_is_whole() -> None:
    run = Rewrite({"embedding": Gathering(lambda _source, each: each, list)}, "m", inputs=1)
    node = Gathered(Items(Fields({"v": Keep()}), each=True))
    aside = Aside(node, "data", 1, run, Collected(run))
    waiting: list[bytes | bytearray] = [b'[{"v":', bytearray(b"1}]")]
    aside.bound(waiting, 9)
    assert (waiting, aside.held) == ([b'[{"v":1}]'], 9)
    with pytest.raises(UpstreamError, match="together larger than 8 bytes"):
        aside.bound(waiting, 8)
    assert aside.filled(None) is None
