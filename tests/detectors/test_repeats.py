import numpy as np
from msgspec.structs import replace

from extproc.detectors.features import Features, without_inputs
from extproc.detectors.profile import ASKED, Asked
from extproc.detectors.repeats import unrepeated


def features(*digests: int, labels: int = 0, queries: int | None = None) -> Features:
    count = len(digests)
    return replace(
        without_inputs(1.0, "served", count if queries is None else queries),
        digests=np.array(digests, np.uint64),
        simhashes=np.array(digests, np.uint64),
        cells=np.array(digests, np.int16),
        surprises=np.array(digests, np.float32),
        lengths=np.array(digests, np.uint8),
        entropies=np.array(digests, np.uint8),
        scripts=np.array(digests, np.uint8),
        labels=np.arange(labels).astype(np.uint8),
    )


def nothing() -> Asked:
    return np.zeros(ASKED, np.uint8)


def test_new_queries_are_all_there() -> None:
    new = features(1, 2, 3)
    assert unrepeated(nothing(), new) is new


def test_what_was_asked_before_is_left_out_everywhere() -> None:
    asked = nothing()
    unrepeated(asked, features(1, 2))
    left = unrepeated(asked, features(2, 3, labels=2))
    for values in (left.digests, left.simhashes, left.cells, left.surprises, left.scripts):
        assert values.tolist() == [3]
    assert left.labels.tolist() == [1]
    assert left.queries == 1


def test_what_is_asked_twice_at_once_counts_once() -> None:
    assert unrepeated(nothing(), features(7, 7, 8)).digests.tolist() == [7, 8]


def test_of_a_sample_so_many_count_as_their_share() -> None:
    asked = nothing()
    unrepeated(asked, features(1))
    assert unrepeated(asked, features(1, 2, queries=100)).queries == 50


def test_where_all_is_repeated_no_answer_tells_anything() -> None:
    asked = nothing()
    unrepeated(asked, features(1))
    left = unrepeated(asked, features(1, labels=5))
    assert (left.sampled, len(left.labels), left.queries) == (0, 0, 0)
    assert left.outcome == "served"


def test_answers_that_are_not_one_for_each_query_stay() -> None:
    asked = nothing()
    unrepeated(asked, features(1))
    assert len(unrepeated(asked, features(1, 2, labels=5)).labels) == 5


def test_what_has_no_inputs_has_no_repeats() -> None:
    plain = without_inputs(1.0, "limited", 3)
    assert unrepeated(nothing(), plain) is plain
