from extproc.redteam.owner.found import (
    CLEAN,
    MEASURES,
    STOLEN,
    Found,
    called,
    measured,
    parted,
)


def test_what_was_found_is_told_by_its_measures() -> None:
    told = dict(measured(Found(-70.0, named=True, others=(-3.0, -1.0), accused=0)))
    assert told == {
        "marks.bits": -70.0,
        "marks.found": 1.0,
        "marks.others": -3.0,
        "marks.accused": 0.0,
    }
    assert set(told) == {measure.name for measure in MEASURES}


def test_where_nobody_else_asked_nobody_else_is_told_of_and_nothing_where_there_is_nothing() -> (
    None
):
    assert dict(measured(Found(0.0, named=False, others=(), accused=0))) == {
        "marks.bits": 0.0,
        "marks.found": 0.0,
    }
    assert dict(measured(None)) == {}


def test_a_strategy_is_taken_apart_as_it_was_put_together() -> None:
    for way in ("pruned, 30%", STOLEN, CLEAN):
        assert parted(called("forest", way)) == ("forest", way)
    assert parted("") == ("", STOLEN)
