from extproc.redteam.policy_choice import shipped
from extproc.redteam.report.look import looks

OWN = ("mine.yaml:gold", "mine.yaml:free")


def test_a_shipped_policy_looks_the_same_whatever_stands_beside_it() -> None:
    all_of_them = looks(("none", *shipped()), "none")
    for policy in shipped():
        assert looks(("none", policy), "none")[policy] == all_of_them[policy]
        assert looks((*OWN, policy, "none"), "none")[policy] == all_of_them[policy]
        assert looks((policy, *OWN), "target")[policy] == all_of_them[policy]


def test_all_look_unlike_each_other_without_colours_too() -> None:
    look = looks(("none", *shipped(), *OWN), "none")
    assert [policy for policy, each in look.items() if each.dashed] == ["none"]
    plain = [each for each in look.values() if not each.dashed]
    assert len({each.colour for each in look.values()}) == len(look)
    assert len({each.mark for each in plain}) == len(plain)


def test_ones_own_look_the_same_in_the_same_order_and_unlike_each_other_however_many() -> None:
    assert looks(("none", *OWN), "none")[OWN[1]] == looks(("none", "full", *OWN), "none")[OWN[1]]
    many = looks(("none", *map(str, range(25))), "none")
    assert len({(each.colour, each.mark) for each in many.values()}) == 26


def test_the_baseline_is_there_though_nothing_was_measured_of_it() -> None:
    assert looks(("full",), "none")["none"].dashed
