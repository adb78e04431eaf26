import numpy as np
import pytest

from extproc.cohorts.affinity import incoherence, learnt, read


def asked(*cells: int, of: int = 6) -> np.ndarray:
    return np.bincount(cells, minlength=of).astype(np.float32)


TOPICS = [asked(0, 1, 0, 1), asked(2, 3, 2), asked(4, 5, 4, 5)] * 40
KNOWN = read(learnt(TOPICS))


def test_what_is_asked_together_is_coherent_and_what_is_not_is_not() -> None:
    assert incoherence(asked(0, 1, 0), KNOWN) < -2
    assert incoherence(asked(0, 2, 4), KNOWN) > 2
    assert incoherence(asked(0, 2, 4), KNOWN) == incoherence(asked(4, 2, 0), KNOWN)


def test_of_one_query_and_of_none_nothing_is_said() -> None:
    assert incoherence(asked(3), KNOWN) == incoherence(asked(), KNOWN) == 0.0


def test_nobody_who_asks_often_outweighs_others() -> None:
    often = [*TOPICS, asked(*[0, 2] * 1000)]
    assert np.allclose(read(learnt(often)), KNOWN, atol=0.7)


def test_from_too_little_nothing_is_learnt() -> None:
    assert np.allclose(read(learnt([asked(1)])), 0.0, atol=3.0)
    assert np.isfinite(read(learnt([asked()]))).all()


def test_an_octet_is_kept_for_each_pair_of_cells() -> None:
    assert len(learnt(TOPICS)) == 36
    with pytest.raises(ValueError, match="cells"):
        read(b"x" * 35)
