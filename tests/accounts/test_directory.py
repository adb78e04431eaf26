from dataclasses import replace

import pytest

from extproc.accounts import directory
from extproc.accounts.directory import SHARED, Directory
from extproc.errors import OperatorError
from extproc.limits import Limit, Rate, Scope
from extproc.policy import PolicyTable
from tests.playbook import policy, table


def limit(name: str, *per: Scope, shared: bool = False) -> Limit:
    return Limit(Rate(f"{name}/1s", 5, 1_000_000), "requests", per, shared=shared)


OWN, LATE = limit("own", "tenant"), limit("late", "principal")
RING, ALL = limit("ring", "cohort"), limit("all", "route", shared=True)
EMBED = ("POST", "/v1/embeddings")


def made() -> PolicyTable:
    """acme and beta on two routes, acme in a cohort."""
    chat = {"limits": (OWN, RING, ALL), "reserved": (LATE,)}
    found = [
        replace(policy(tenant=tenant, **chat), cohort=cohort)  # type: ignore[arg-type]
        for tenant, cohort in (("beta", ""), ("acme", "north"))
    ]
    found.append(policy(tenant="acme", route=EMBED, limits=(limit("vectors", "tenant"),)))
    return table(*found)


def surveyed(of: PolicyTable) -> Directory:
    known = Directory()
    assert len([*known.survey(of.policies)]) == len(of.policies)
    return known


def test_tenants_come_first_then_what_they_share() -> None:
    known = surveyed(made())
    whole = ["beta", "acme", "cohort:beta", "cohort:north", SHARED]
    assert known.after("", 9) == whole
    for place, whom in enumerate(whole):
        assert known.after(whom, 2) == whole[place + 1 : place + 3]
    with pytest.raises(OperatorError, match="another policy has been put in force"):
        known.after("gone", 1)
    alone = surveyed(table(policy()))
    assert alone.after("", 9) == ["acme"]


def test_a_tenant_has_the_limits_of_all_its_routes_and_of_itself_alone() -> None:
    of = made()
    assert {*directory.of_tenant(of, "acme")} == {"own", "late", "vectors"}
    assert {*directory.of_tenant(of, "beta")} == {"own", "late"}
    assert directory.elsewhere(of, "acme") == {"cohort:north": ["ring"], SHARED: ["all"]}
    assert directory.has(of, "acme")
    assert not directory.has(of, "acm")
    with pytest.raises(OperatorError, match="there is no tenant 'acm'"):
        directory.of_tenant(of, "acm")


def test_tenants_with_the_same_limits_have_them_once() -> None:
    known = surveyed(table(*(policy(tenant=f"t{number}", limits=(OWN,)) for number in range(9))))
    assert len({id(limits) for limits in known._tenants.values()}) == 1
    assert known.limits("t3") == {"own": OWN}


def test_what_is_shared_has_limits_of_its_own() -> None:
    of = made()
    known = surveyed(of)
    assert known.limits(SHARED) == {"all": ALL}
    assert known.limits("cohort:north") == {"ring": RING}
    assert known.limits("beta") == {"own": OWN, "late": LATE}


@pytest.mark.parametrize(
    ("whom", "message"),
    [
        ("acm", "there is no tenant 'acm'; did you mean 'acme'?"),
        ("x", "there is no tenant 'x'; there are: beta, acme"),
        ("cohort:nort", "there is no 'cohort:nort'; did you mean 'cohort:north'?"),
        (":", "there is no ':'; there are: cohort:beta, shared:, cohort:north"),
    ],
)
def test_a_name_that_is_not_known_is_told_with_those_that_are(whom: str, message: str) -> None:
    of = made()
    with pytest.raises(OperatorError) as error:
        surveyed(of).limits(whom)
    assert str(error.value) == message


def test_many_names_are_not_all_told() -> None:
    of = table(*(policy(tenant=f"t{number}") for number in range(9)))
    with pytest.raises(OperatorError, match=r"there are: t0, t1, t2, t3, t4 and 4 more$"):
        surveyed(of).limits("zz")
    with pytest.raises(OperatorError, match=r"there is no 'shared:'; there is none$"):
        surveyed(of).limits(SHARED)


def test_names_of_operators_and_of_stores_are_two_ways_to_say_the_same() -> None:
    for whom, group in (("acme", "acme"), ("cohort:north", "cohort:north"), (SHARED, "")):
        assert directory.group(whom) == group
        assert directory.named(group) == whom


def test_a_limit_is_found_by_its_name() -> None:
    limits = {"own": OWN, "late": LATE}
    assert directory.find(limits, "acme", "own") is OWN
    with pytest.raises(OperatorError, match="acme counts against no limit 'lat' of its own; did"):
        directory.find(limits, "acme", "lat")


# Which counter is meant.

SEEN = ["key:abcd", "key:abef", "key:ab"]


@pytest.mark.parametrize(
    ("subject", "more", "found"),
    [
        ("key:abc", False, "key:abcd"),
        ("key:ab", False, "key:ab"),
        ("key:zz", True, "key:zz"),
        ("key:abef", True, "key:abef"),
    ],
)
def test_a_counter_is_named_by_as_much_as_no_other_has(
    subject: str, more: bool, found: str
) -> None:
    assert directory.subject_of(LATE, subject, SEEN, more=more) == found


@pytest.mark.parametrize(
    ("of", "subject", "message"),
    [
        (OWN, "x", "own has one counter; name no subject"),
        (LATE, None, "late has a counter for each principal; name one with --subject"),
        (LATE, "", "late has a counter for each principal; name one with --subject"),
        (LATE, "key:a", "3 counters of late begin so; write more of it"),
        (LATE, "zz", "late has counted nothing for such a subject; see them with: "),
        (
            limit("both", "principal", "model"),
            None,
            "both has a counter for each principal and model; ",
        ),
    ],
)
def test_no_counter_is_guessed(of: Limit, subject: str | None, message: str) -> None:
    with pytest.raises(OperatorError) as error:
        directory.subject_of(of, subject, SEEN, more=False)
    assert str(error.value).startswith(message)


def test_a_counter_is_named_as_it_is_shown_too() -> None:
    seen = [f"key:{digit * 64}|{model}" for digit in "ab" for model in ("m", "n")]
    both = limit("both", "principal", "model")
    shown = "key:aaaaaaaaaaaaaaaa…|n"
    assert directory.subject_of(both, shown, seen, more=False) == seen[1]
    with pytest.raises(OperatorError, match="2 counters of both begin so"):
        directory.subject_of(both, shown[:-2], seen, more=False)


@pytest.mark.parametrize("subject", [None, ""])
def test_what_tells_nobody_apart_has_one_counter(subject: str | None) -> None:
    assert directory.subject_of(OWN, subject, [], more=False) == ""
