import pytest

from extproc.server.stopwatch import Stopwatch


def test_what_is_inside_is_counted_and_what_is_between_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.0, 11.0, 50.0, 50.5, 90.0, 94.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    watch = Stopwatch()
    with watch.running():
        pass
    with watch.running():
        pass
    assert watch.seconds == 1.5
    with pytest.raises(ValueError, match="inside"), watch.running():
        raise ValueError("inside")
    assert watch.seconds == 5.5
