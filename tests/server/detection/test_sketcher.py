from extproc.server.detection.sketcher import Blind
from tests.server.detection.rig import NOW, asked


def test_without_a_reference_volume_and_time_are_known() -> None:
    one, other = Blind().features([asked(1, 2, knobs=5), asked(outcome="limited")])
    assert (one.queries, one.time, one.knobs, one.sampled) == (2, NOW, 5, 0)
    assert other.outcome == "limited"
