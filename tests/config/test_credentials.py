"""Names of credentials, and that a route can be reached with one of them."""

from pathlib import Path

import pytest

from extproc.credentials import ANY, Requirement
from extproc.errors import ConfigError
from tests.config.example import changed, compiled

ROUTE = "dialect: openai_embeddings"


def asking(requirement: str, credentials: str = "{keys: {kind: api_key, strength: 2}}") -> str:
    return changed(
        ("routes:\n", f"credentials: {credentials}\nroutes:\n"),
        (ROUTE, f"{ROUTE}, credentials: {requirement}"),
    )


def test_api_keys_are_what_callers_have_where_nothing_else_is_said(tmp_path: Path) -> None:
    table = compiled(tmp_path)
    assert [*table.provers] == ["keys"]
    assert table.credential_headers == ("authorization", "x-api-key", "api-key", "x-goog-api-key")
    assert all(route.requirement == ANY for route in table.routes)


def test_a_route_names_what_it_asks_for(tmp_path: Path) -> None:
    table = compiled(tmp_path, asking("{any_of: [keys], strength: 2}"))
    assert table.routes[0].requirement == Requirement(("keys",), strength=2)


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        (
            "{any_of: [key]}",
            "routes[0].credentials.any_of[0]: there is no credential 'key'; did you mean 'keys'?",
        ),
        (
            "{all_of: [keys, mesh]}",
            "routes[0].credentials.all_of[1]: there is no credential 'mesh'; write keys",
        ),
        (
            "{strength: 3}",
            "no credential of this route is stronger than 2; lower it, or name a stronger one",
        ),
    ],
)
def test_a_route_that_nobody_could_ask_is_refused(
    tmp_path: Path, requirement: str, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, asking(requirement))
    assert str(raised.value).endswith(message)
    assert ":7: " in str(raised.value) or ":8: " in str(raised.value)
