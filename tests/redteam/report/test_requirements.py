from extproc.redteam.report.requirements import AISVS, ATLAS


def test_all_that_is_promised_is_mapped_and_says_what_it_does_not_show() -> None:
    assert [each.id for each in AISVS] == [f"C11.3.{at}" for at in range(1, 5)]
    assert [each.id for each in ATLAS] == ["AML.T0024", *(f"AML.T0024.00{n}" for n in range(3))]
    assert all(each.not_shown for each in (*AISVS, *ATLAS))
