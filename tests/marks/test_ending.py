import pytest

from extproc.marks.ending import SHORTEST, Ending

PROSE = "It is a long answer, and it ends as sentences do. " * 3


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        (PROSE, True),
        (PROSE.strip() + "!\n", True),
        ("\n" + PROSE, True),
        (PROSE[:50], False),
        ('{"answer": "' + PROSE + '"}', False),
        ('"' + PROSE, False),
        ("```\n" + PROSE, False),
        (PROSE + "and then", False),
        ("", False),
        (" " * SHORTEST + ".", True),
    ],
)
@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_words_stand_behind_prose_alone_however_it_is_cut(
    text: str, closed: bool, cut: int
) -> None:
    ending = Ending("words")
    for at in range(0, len(text), cut):
        ending.read(text[at : at + cut])
    assert ending.close() is closed
