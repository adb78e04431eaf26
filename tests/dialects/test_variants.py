import pytest

from extproc.dialects.shape import ABSENT, Fields, Keep, Rewrite
from extproc.dialects.variants import Variants
from extproc.errors import UpstreamError

SHAPES = Variants({"circle": Fields({"type": Keep(), "radius": Keep()})})


def test_the_type_says_which_fields_there_are() -> None:
    run = Rewrite({}, "m")
    circle = {"type": "circle", "radius": 1, "color": "red"}
    assert SHAPES.rewrite(circle, run, "shape") == {"type": "circle", "radius": 1}
    assert run.dropped == {"shape(circle).*": 1}
    assert SHAPES.rewrite(None, run, "shape") is None


@pytest.mark.parametrize("kind", [{}, {"type": "s3cret"}, {"type": None}, {"type": ["circle"]}])
def test_another_type_or_none_does_not_pass_and_is_not_named(kind: dict[str, object]) -> None:
    run = Rewrite({}, "m")
    assert SHAPES.rewrite({**kind, "radius": 1}, run, "shape") is ABSENT
    assert run.dropped == {"shape(*)": 1}


@pytest.mark.parametrize(("place", "words"), [("shape", "shape"), ("", "the answer")])
def test_what_is_no_object_is_unreadable(place: str, words: str) -> None:
    with pytest.raises(UpstreamError, match=words):
        SHAPES.rewrite(["circle"], Rewrite({}, "m"), place)
