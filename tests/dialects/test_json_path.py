"""Paths as a policy writes them."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from extproc.dialects.json_path import ANY, EACH, LONGEST, Branch, Path, parse, shown, writable

_steps = st.lists(
    st.sampled_from([EACH, ANY]) | st.text(max_size=6).filter(writable), min_size=1, max_size=6
).map(tuple)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("id", ("id",)),
        ("predictions[].score", ("predictions", EACH, "score")),
        ("vectors[][]", ("vectors", EACH, EACH)),
        ("result.*", ("result", ANY)),
        ("*[].x", (ANY, EACH, "x")),
        ("[]", (EACH,)),
        ("[][].label", (EACH, EACH, "label")),
        ("*", (ANY,)),
        ("a-b.c_d.é", ("a-b", "c_d", "é")),
    ],
)
def test_names_items_and_members(text: str, path: Path) -> None:
    assert parse(text) == path
    assert shown(path) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a[",
        "a]",
        "a[0]",
        "a[b]",
        "a b",
        "a[]b",
        "a*",
        "**",
        "a.[]",
        "a\n",
        "a\x85",
        "a" * 129,
        "a." * LONGEST + "a",
    ],
)
def test_what_is_no_path(text: str) -> None:
    assert parse(text) is None


def test_a_path_has_a_bound() -> None:
    assert parse(".".join("a" * LONGEST)) is not None


@given(_steps)
def test_what_is_shown_is_read_again(path: Path) -> None:
    text = shown(path)
    assert parse(text) == path


@given(st.text(max_size=8))
def test_a_name_that_can_be_written_is_one_step(name: str) -> None:
    assert writable(name) is (parse(name) == (name,) and name not in {ANY, EACH})


class TestBranch:
    def test_places_grow_by_paths(self) -> None:
        root = Branch[str]()
        assert root.grow(("a", EACH, "x"), "one")
        assert root.grow(("a", EACH, "y"), "two")
        assert root.grow(("b", ANY), "three")
        assert root.steps["a"].steps[EACH].ends("y") == "two"
        assert root.steps["b"].ends(ANY) == "three"
        assert root.ends("a") is None
        assert root.ends("c") is None

    @pytest.mark.parametrize(
        "other",
        [
            ("a",),
            ("a", EACH, "x"),
            ("a", "b"),
            ("a", ANY),
            ("a", EACH),
            ("a", EACH, "x", "y"),
            (ANY,),
            (EACH,),
            ("a", EACH, EACH),
            ("a", EACH, ANY),
        ],
    )
    def test_one_place_is_one_thing(self, other: Path) -> None:
        root = Branch[str]()
        assert root.grow(("a", EACH, "x"), "one")
        assert not root.grow(other, "two")
