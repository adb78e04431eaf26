from pathlib import Path

from extproc.config.document import Document, dotted

DOCUMENT = Document(Path("p.yaml"), {"a": [{"b": 1}]}, {(): 1, ("a",): 2, ("a", 0): 3})


def test_a_place_without_a_line_has_that_of_what_it_would_stand_in() -> None:
    assert DOCUMENT.line(("a", 0, "missing", "deeper")) == 3
    assert DOCUMENT.line(("missing",)) == 1


def test_a_fault_names_file_line_place_and_remedy() -> None:
    error = DOCUMENT.fault(("a", 0, "b"), "is wrong", "mend it")
    assert str(error) == "p.yaml:3: a[0].b: is wrong; mend it"


def test_places_are_dotted() -> None:
    assert dotted(()) == "the file"
    assert dotted(("a", 0, 1, "b")) == "a[0][1].b"
    assert dotted(("a", "x" * 100)) == "a." + "x" * 64
