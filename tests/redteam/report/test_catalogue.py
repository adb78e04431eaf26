from extproc.redteam.report.catalogue import Catalogue
from tests.redteam.report.made_up import ATTACKS


def test_attacks_are_known_by_what_they_need_and_others_are_reported_all_the_same() -> None:
    catalogue = Catalogue.of(ATTACKS.values())
    assert catalogue.data("knockoff") == "inputs like the model's own"
    assert catalogue.data("copycat") == "natural inputs of another kind"
    assert catalogue.data("unheard of") == "no data"
    assert catalogue.low_is_worse("accuracy", "utility")
    assert not catalogue.is_attack("utility")
    assert catalogue.is_attack("unheard of")
    assert catalogue.measure("a_b.c").about == "a b: c"
