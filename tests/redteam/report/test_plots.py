from extproc.redteam.measures.interval import Interval
from extproc.redteam.measures.reach import Bound, Multiplier
from extproc.redteam.report.look import looks
from extproc.redteam.report.plots import Noticed, multipliers, timeline, trade

LOOK = looks(("none", "coarse"), "none")


def test_a_bound_is_told_on_its_bar() -> None:
    bars = [
        ("digits", "coarse", Multiplier(bound, Interval(12, 10, 14, 5)))
        for bound in (Bound.AT_LEAST, Bound.EXACT)
    ]
    text = multipliers("bars", "Times", bars, LOOK)
    assert "≥ 12×" in text


def test_what_was_never_noticed_is_drawn_too() -> None:
    rows = [("knockoff", {"none": Noticed(None, 10_000), "coarse": Noticed(0, 0)})]
    assert "never" in timeline("time", "When", rows, LOOK)


def test_every_policy_has_its_label() -> None:
    one = Interval(0.9, 0.8, 1.0, 5)
    text = trade("trade", "Use", {"none": (one, one), "coarse": (one, one)}, LOOK, ("x", "y"))
    assert ">coarse<" in text
