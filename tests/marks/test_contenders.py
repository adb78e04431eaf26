"""Which two classes may be exchanged; what protects one is tried in mutators/test_mark.py."""

import numpy as np
import pytest

from extproc.marks.contenders import called, contenders


@pytest.mark.parametrize(
    ("values", "both"),
    [
        ([0.1, 0.2, 0.4, 0.3], (2, 3)),
        ([0.25, 0.5, 0.25], (1, 0)),
        ([0.5, 0.5], None),  # the first of equals is the label: exchanging them changes nothing
        ([1.0, 0.0], None),  # what stands behind has no next class
        ([0.7], None),
        ([], None),
    ],
)
def test_they_are_the_likeliest_and_the_next(
    values: list[float], both: tuple[int, int] | None
) -> None:
    assert contenders(np.array(values), (), frozenset()) == both


def test_a_class_is_called_by_its_first_name_else_by_its_place() -> None:
    assert called(1, [["a"], ["b", "B"]]) == "b"
    assert called(1, [[7], [8]]) == "8"
    assert called(1, [[], []]) == 1
    assert called(1, ()) == 1
