from hypothesis import given
from hypothesis import strategies as st

from extproc.padding import Buckets
from extproc.shaping import UNSHAPED, Grid, Rate, Shaping

STEPS = st.floats(0.01, 5.0)
INSTANTS = st.floats(0.0, 1e8)


@given(step=STEPS, beginning=INSTANTS, work=st.floats(0.0, 4000.0))
def test_an_answer_leaves_at_the_next_multiple_after_the_work(
    step: float, beginning: float, work: float
) -> None:
    now = beginning + work
    instant = Grid(step).after(beginning, now)
    assert now <= instant
    # Floats near 1e8 are 1.5e-8 apart.
    assert instant <= max(now, beginning) + step * (1 + 1e-9) + 1e-7
    count = (instant - beginning) / step
    assert abs(count - round(count)) * step < 1e-6
    assert round(count) >= 1


@given(step=st.sampled_from([0.05, 0.1, 0.25, 1.0]), work=st.lists(st.floats(0, 3), min_size=2))
def test_work_that_ends_in_one_step_ends_at_one_instant(step: float, work: list[float]) -> None:
    """What was done in it does not show, however long it took."""
    grid, instants = Grid(step), dict[int, set[float]]()
    for seconds in work:
        instant = grid.after(0.0, seconds)
        instants.setdefault(round(instant / step), set()).add(instant)
    assert all(len(found) == 1 for found in instants.values())


def test_nothing_leaves_at_its_arrival() -> None:
    grid = Grid(0.25)
    assert [grid.after(10.0, 10.0 + late) for late in (0.0, 0.1, 0.25, 0.26, 0.5)] == [
        10.25,
        10.25,
        10.25,
        10.5,
        10.5,
    ]
    assert grid.after(10.0, 9.0) == 10.25  # a clock that told an arrival in the future


def test_what_is_not_shaped_does_not_wait() -> None:
    assert not UNSHAPED.waits
    assert not Shaping(buckets=Buckets()).waits
    assert Shaping(grid=Grid(1.0)).waits
    assert Shaping(rate=Rate(0.05, 512)).waits
