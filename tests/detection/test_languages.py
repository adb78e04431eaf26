"""Other languages say the same in other letters."""

import numpy as np
import pytest

from extproc.detectors.words import words
from tests.detection.grammar import grammar
from tests.detection.languages import LEARNT, SHARE, UNKNOWN, translated

TEXT = "the quick brown fox jumps over the lazy dog at 10:30"


@pytest.mark.parametrize("language", [*LEARNT, UNKNOWN])
def test_every_letter_has_one_of_its_own(language: str) -> None:
    """Which the sidecar does not fold into another."""
    own, other = words(TEXT).decode(), words(translated(TEXT, language)).decode()
    assert len(own) == len(other)
    assert len(set(zip(own, other, strict=True))) == len(set(own)) == len(set(other))
    assert own != other


def test_the_reference_has_some_texts_of_each_that_is_learnt() -> None:
    corpus = grammar(np.random.default_rng(1))
    whole = corpus.whole("reference")
    spoken = corpus.spoken(whole)
    for language in LEARNT:
        assert np.isin(corpus.abroad[language][whole], spoken).mean() == pytest.approx(
            1 / SHARE, rel=0.05
        )
    assert not np.isin(corpus.abroad[UNKNOWN], spoken).any()
