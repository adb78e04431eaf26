from extproc.rehearsal.stand_ins import SECRET, StandIns


def test_a_variable_that_is_not_set_stands_for_some_secret() -> None:
    environ = StandIns({"A": "1"})
    assert (environ["A"], environ.used) == ("1", False)
    assert (environ["B"], environ.used) == (SECRET, True)
    assert "B" in environ
    assert environ.__contains__(7) is False
    assert (list(environ), len(environ)) == (["A"], 1)
