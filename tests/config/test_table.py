import re
from pathlib import Path

import pytest

from extproc.caps import Caps
from extproc.config import compile_table
from extproc.credentials.api_key import principal
from extproc.draw import Draw
from extproc.errors import ConfigError
from tests.config.example import ENVIRON, TEXT, changed, compiled, loaded
from tests.playbook import rate


def test_every_tenant_has_its_policy_on_every_route(tmp_path: Path) -> None:
    table = compiled(tmp_path)
    assert set(table.policies) == {
        (tenant, route.name) for tenant in ("acme", "beta") for route in table.routes
    }
    for (tenant, route), policy in table.policies.items():
        assert (policy.tenant, policy.route.name) == (tenant, route)
        assert policy.fidelity.name == {"acme": "standard", "beta": "full"}[tenant]
        assert policy.edits.keys() == policy.fidelity.mutators.keys()
        assert policy.answers == policy.route.dialect.answers()


def test_a_policy_has_what_the_file_says(tmp_path: Path) -> None:
    table = compiled(tmp_path, changed(("fidelity: full", "fidelity: full, mode: shadow")))
    acme = table.policies["acme", "POST /v1/embeddings"]
    beta = table.policies["beta", "POST /v1/embeddings"]
    assert acme.models == ("text-*",)
    assert acme.limits == (rate("burst", "principal", 20, 1.0),)
    assert not acme.shadow
    assert beta.models == ("*",)
    assert beta.limits == ()
    assert beta.shadow


def test_the_terms_name_the_kinds_that_no_mutator_changes(tmp_path: Path) -> None:
    for policy in compiled(tmp_path).policies.values():
        changed_kinds = {kind for kind, chain in policy.fidelity.mutators.items() if chain}
        assert set(policy.terms.untouched) == set(policy.terms.granted) - changed_kinds
    assert (
        "embedding"
        not in compiled(tmp_path).policies["acme", "POST /v1/embeddings"].terms.untouched
    )


def test_caps_have_defaults_one_by_one(tmp_path: Path) -> None:
    assert compiled(tmp_path).caps == Caps()
    table = compiled(tmp_path, TEXT + "caps: {request: 2MiB, held: 8388608}\n")
    assert table.caps == Caps(request=2 << 20, held=8 << 20)
    assert table.policies["acme", "POST /v1/embeddings"].caps is table.caps


def test_a_key_leads_to_its_tenant(tmp_path: Path) -> None:
    proven = principal({"x-api-key": "xk-1"}, ENVIRON["HMAC"].encode())
    table = compiled(tmp_path, changed((f"key:{'a' * 64}", str(proven))))
    assert table.key == ENVIRON["HMAC"].encode()
    assert table.tenants == {proven: "acme", f"key:{'b' * 64}": "beta"}


def test_a_file_without_tenants_lets_nobody_in(tmp_path: Path) -> None:
    table = compiled(tmp_path, TEXT[: TEXT.index("fidelities:")])
    assert table.tenants == {}
    assert table.policies == {}
    assert len(table.routes) == 3


def test_the_environment_is_the_processs_own_unless_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HMAC", "f" * 32)
    assert compile_table(loaded(tmp_path)).key == b"f" * 32


def test_the_version_is_that_of_what_is_said_and_of_the_key(tmp_path: Path) -> None:
    version = compiled(tmp_path).version
    assert re.fullmatch("[0-9a-f]{16}", version)
    assert compiled(tmp_path, f"# a comment\n{TEXT}\n").version == version
    assert compiled(tmp_path, changed(("k: 3", "k: 4"))).version != version
    other = compile_table(loaded(tmp_path), {"HMAC": "f" * 32})
    assert other.version != version


def test_replicas_that_listen_elsewhere_have_one_version(tmp_path: Path) -> None:
    """One of them is asked by ext_authz and the other by ext_proc, about the same request."""
    first, _, rest = TEXT.partition("routes:")
    elsewhere = (
        "version: 1\nlisten: 127.0.0.1:7001\nhealth: 127.0.0.1:7002\nadmin: 127.0.0.1:7003\n"
        "control: unix:///run/other.sock\n"
    )
    kept = first[first.index("keys:") :]
    other = compiled(tmp_path, f"{elsewhere}{kept}routes:{rest}")
    assert other.version == compiled(tmp_path).version


KEYED = (
    "{kind: top_k, k: 3}, {kind: round, digits: 2}",
    "{kind: smooth, margin: 0.1}, {kind: top_k, k: 3}",
)
EMBEDDINGS = "POST /v1/embeddings"


def drawn(folder: Path, *changes: tuple[str, str], hmac: str = ENVIRON["HMAC"]) -> Draw | None:
    """What acme's policy draws from."""
    table = compile_table(loaded(folder, changed(*changes)), {"HMAC": hmac})
    return table.policies["acme", EMBEDDINGS].draw


def test_only_keyed_tiers_draw(tmp_path: Path) -> None:
    assert drawn(tmp_path) is None
    table = compiled(tmp_path, changed(KEYED))
    assert table.policies["acme", EMBEDDINGS].draw is not None
    assert table.policies["beta", EMBEDDINGS].draw is None


def test_a_draw_is_that_of_the_key_the_epoch_and_the_tenant(tmp_path: Path) -> None:
    first = drawn(tmp_path, KEYED)
    epoch = ('{hmac: "env:HMAC"}', '{hmac: "env:HMAC", epoch: %d}')
    assert drawn(tmp_path, KEYED, (epoch[0], epoch[1] % 1)) == first
    assert drawn(tmp_path, KEYED, ("k: 3", "k: 4")) == first  # the tier comes in with the answer
    assert drawn(tmp_path, KEYED, ("models: [", "models: [more, ")) == first
    assert drawn(tmp_path, KEYED, (epoch[0], epoch[1] % 2)) != first
    assert drawn(tmp_path, KEYED, hmac="f" * 32) != first
    both = compiled(tmp_path, changed(KEYED, ("policy: trial", "policy: partner")))
    acme, beta = (both.policies[tenant, EMBEDDINGS] for tenant in ("acme", "beta"))
    assert acme.draw == first
    assert beta.draw not in {None, first}
    assert acme.terms.salt != beta.terms.salt


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("env:HMAC", "env:NONE", "5: keys.hmac", "the variable NONE is not set; set it"),
        (
            "fidelity: standard",
            "fidelity: standrd",
            "20: policies.partner.fidelity",
            "there is no fidelity 'standrd'; did you mean 'standard'?",
        ),
        (
            "fidelity: standard",
            "fidelity: gold",
            "20: policies.partner.fidelity",
            "there is no fidelity 'gold'; write one of full, standard",
        ),
        (
            "policy: trial",
            "policy: trail",
            "25: tenants.beta.policy",
            "there is no policy 'trail'; did you mean 'trial'?",
        ),
        (
            TEXT[TEXT.index("policies:") : TEXT.index("tenants:")],
            "",
            "17: tenants.acme.policy",
            "there is no policy 'partner'; add it",
        ),
        (
            "window: 1s}",
            "window: 1s}\n      - {name: burst, per: tenant, count: requests, max: 1, window: 1s}",
            "23: policies.partner.limits[1].name",
            "repeated, first on line 22; rename one: limits of one name share a count",
        ),
        (
            f'"key:{"b" * 64}"',
            f'"key:{"a" * 64}"',
            "25: tenants.beta.principals[0]",
            "listed before, on line 24; remove one: a key has one owner",
        ),
        (
            f'"key:{"b" * 64}"',
            f'"key:{"b" * 64}", "key:{"b" * 64}"',
            "25: tenants.beta.principals[1]",
            "listed before, on line 25; remove one: a key has one owner",
        ),
        *(
            (
                "tenants:",
                f"caps: {{{cap}: 2MiB, held: 1MiB}}\ntenants:",
                f"23: caps.{cap}",
                (
                    "more than caps.held, which is 1048576 bytes for all requests together; "
                    "lower it, or raise caps.held"
                ),
            )
            for cap in ("request", "document", "value")
        ),
    ],
)
def test_names_and_contradictions_are_told_by_their_place(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, changed((old, new)))
    assert str(caught.value) == f"{tmp_path}/policy.yaml:{place}: {message}"


def test_a_policy_that_envoy_selects_holds_for_every_tenant_instead_of_its_own(
    tmp_path: Path,
) -> None:
    table = compiled(tmp_path)
    assert table.selecting("") is table.policies
    place = ("acme", "POST /v1/embeddings")
    own, other = table.policies[place], table.selecting("trial")[place]
    assert (own.fidelity.name, own.models) == ("standard", ("text-*",))
    assert (other.fidelity.name, other.models, other.tenant) == ("full", ("*",), "acme")
    assert table.selecting("partner")["beta", place[1]].limits != ()
    assert place not in table.selecting("nobodys")
