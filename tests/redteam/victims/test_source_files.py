import ast

import numpy as np
import pytest

from extproc.redteam.victims.source_files import SOURCES, Words


def _words(seed: int = 0) -> Words:
    return Words(np.random.default_rng(seed))


@pytest.mark.parametrize("kind", SOURCES)
def test_a_file_is_text_and_no_two_are_alike(kind: str) -> None:
    words = _words()
    files = [SOURCES[kind](words) for _ in range(20)]
    assert len(set(files)) == 20
    assert all(len(file.decode()) > 100 for file in files)


def test_python_can_be_parsed() -> None:
    words = _words(1)
    for _ in range(30):
        ast.parse(SOURCES["python"](words))


def test_words_are_distinct_and_of_letters() -> None:
    some = _words(2).some(50)
    assert len(set(some)) == 50
    assert all(word.isalpha() for word in some)


def test_the_same_seed_writes_the_same() -> None:
    assert SOURCES["html"](_words(3)) == SOURCES["html"](_words(3)) != SOURCES["html"](_words(4))
