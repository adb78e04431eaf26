import numpy as np
import pytest

from extproc.demo.server.models import digits, teachers
from extproc.demo.server.models.classifier import Floats, Ints
from extproc.demo.server.models.teachers import TEACHERS, Teachers


@pytest.fixture(scope="module")
def ensemble() -> Teachers:
    return teachers.digits()


def votes(ensemble: Teachers, rows: Floats) -> Ints:
    told = ensemble.score(rows).votes
    assert told is not None
    return told


def test_most_of_them_read_digits_rightly(ensemble: Teachers) -> None:
    _, held, _, truth = digits.split()
    scores = ensemble.score(held)
    assert (scores.labels == truth).mean() > 0.92
    np.testing.assert_array_equal(scores.labels, scores.probabilities.argmax(axis=1))


def test_each_has_one_vote(ensemble: Teachers) -> None:
    uniform = np.random.default_rng(0).uniform(0, 16, (20, 64))
    told = votes(ensemble, uniform)
    assert told.dtype == np.int64
    assert told.shape == (20, 10)
    assert told.sum(axis=1).tolist() == [TEACHERS] * 20
    assert told.min() >= 0


def test_a_record_has_one_teacher(ensemble: Teachers) -> None:
    dealt = ensemble.dealt[ensemble.dealt < len(ensemble.images)]
    assert sorted(dealt) == list(range(len(ensemble.images)))


def test_without_a_record_one_vote_moves_at_most(ensemble: Teachers) -> None:
    """Asked about the record itself, whose teacher knows it by heart."""
    wrong = np.flatnonzero(ensemble.labels[:-1] != digits.split()[2])
    before = votes(ensemble, ensemble.images[wrong])
    moved = 0
    for number, place in enumerate(wrong[:10]):
        dealt = np.where(ensemble.dealt == place, len(ensemble.images), ensemble.dealt)
        without = Teachers(ensemble.signature, ensemble.images, ensemble.labels, dealt)
        after = votes(without, ensemble.images[wrong[number : number + 1]])[0]
        change = np.sort(after - before[number])
        assert change[1:-1].tolist() == [0] * 8
        assert (change[0], change[-1]) in {(0, 0), (-1, 1)}
        moved += int(change[-1])
    assert moved > 5


def test_a_row_is_answered_alike_alone_and_among_others(ensemble: Teachers) -> None:
    rows = digits.split()[1][:30]
    alone = [votes(ensemble, rows[at : at + 1])[0].tolist() for at in range(len(rows))]
    assert votes(ensemble, rows).tolist() == alone
