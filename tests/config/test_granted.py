import pytest

from extproc.config import granted
from extproc.config.granted import Granted, Selected
from extproc.policy import Policy
from tests.playbook import policy

ROUTES = {"GET /a": 1, "POST /b": 2}
TENANTS = {"acme": ROUTES, "beta": ROUTES, "gamma": {"GET /a": 1}, "delta": {}}


@pytest.fixture
def made() -> list[tuple[str, str]]:
    return []


def table(made: list[tuple[str, str]]) -> Granted:
    def grant(tenant: str, route: str) -> Policy:
        made.append((tenant, route))
        method, _, path = route.partition(" ")
        return policy(tenant=tenant, route=(method, path))

    return Granted(TENANTS, grant)


def test_every_tenant_has_a_policy_on_its_routes(made: list[tuple[str, str]]) -> None:
    policies = table(made)
    places = [(tenant, route) for tenant, routes in TENANTS.items() for route in routes]
    assert list(policies) == places
    assert len(policies) == 5
    assert made == []
    assert [(each.tenant, each.route.name) for each in policies.values()] == places


def test_a_policy_is_made_when_it_is_first_asked_for(made: list[tuple[str, str]]) -> None:
    policies = table(made)
    first = policies["acme", "GET /a"]
    assert policies["acme", "GET /a"] is first
    assert policies.get(("acme", "GET /a")) is first
    assert made == [("acme", "GET /a")]


@pytest.mark.parametrize(
    "place",
    [("nobody", "GET /a"), ("acme", "GET /b"), ("gamma", "POST /b"), ("delta", "GET /a"), ("", "")],
)
def test_what_the_file_does_not_grant_is_not_made(
    made: list[tuple[str, str]], place: tuple[str, str]
) -> None:
    policies = table(made)
    assert policies.get(place) is None
    assert place not in policies
    other: object = 7
    assert not policies.__contains__(other)
    assert ("acme", "GET /a") in policies
    assert made == []


def test_as_many_are_kept_as_there_is_room_for(
    made: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granted, "KEPT", 2)
    policies = table(made)
    first, others = next(iter(policies)), list(policies)[1:]
    before = policies[first]
    for place in others:
        assert policies[place].tenant == place[0]
    assert len(policies._made) == 2
    assert policies[first] == before
    assert made.count(first) == 2


def test_who_looks_at_all_of_them_takes_the_place_of_none_that_was_asked_for(
    made: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granted, "KEPT", 2)
    policies = table(made)
    kept = [policies["acme", "POST /b"], policies["gamma", "GET /a"]]
    found = dict(policies.items())
    assert [*found] == [*policies]
    assert [(each.tenant, each.route.name) for each in found.values()] == [*policies]
    assert [policies["acme", "POST /b"], policies["gamma", "GET /a"]] == kept
    assert len(made) == 5


def test_what_was_made_can_be_let_go_of_and_is_made_again(made: list[tuple[str, str]]) -> None:
    policies = table(made)
    first = policies["acme", "GET /a"]
    policies.forget()
    assert policies["acme", "GET /a"] == first
    assert len(made) == 2


def test_what_is_selected_is_made_when_it_is_asked_for_and_kept_until_it_is_let_go(
    made: list[tuple[str, str]],
) -> None:
    selected = Selected({"gold": 1, "silver": 2}, lambda _: table(made))
    assert (list(selected), len(selected), made) == (["gold", "silver"], 2, [])
    assert selected["gold"] is selected["gold"]
    assert selected.get("bronze") is None
    assert selected["gold"]["acme", "GET /a"].tenant == "acme"
    before = selected["gold"]
    selected.forget()
    assert before._made == {}
    assert selected["gold"] is not before
