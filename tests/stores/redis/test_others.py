import numpy as np

from extproc.detectors.profile import ASKED
from extproc.stores.contribution import Contribution
from extproc.stores.redis.others import Others
from tests.server.detection.rig import NOW


def counted(*values: float) -> Contribution:
    counters = np.array(values, np.float32)
    return Contribution(counters, np.zeros(ASKED, np.uint8), NOW, NOW, NOW, 1)


def test_what_others_counted_is_kept_as_it_is() -> None:
    others = Others(2, 7, 10)
    others.put("a", counted(1, 0))
    others.put("a", counted(1, 2))
    assert others["a"].counters.tolist() == [1, 2]
    assert ("a" in others, "b" in others, len(others)) == (True, False, 1)
    others.forget("a")
    others.forget("a")
    assert (len(others), others.octets) == (0, 0)


def test_of_so_many_subjects_the_oldest_goes() -> None:
    others = Others(1, 7, 3)
    for name in "abcd":
        others.put(name, counted(1))
    assert [name for name in "abcd" if name in others] == ["b", "c", "d"]


def test_they_take_so_many_octets_at_most() -> None:
    others = Others(2_000, 7, 20)
    for number in range(20):
        others.put(f"{number}", counted(*range(1, 2_001)))
    assert others.octets <= 20 * 1024
    assert len(others) == 2
