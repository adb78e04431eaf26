"""Which value holds: the team's, a default or an override; and where errors say it stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.config import compile_table, load
from extproc.config.document import Document, Layer, Origin
from extproc.config.overlay import _Overlay
from extproc.config.parts import Part
from extproc.config.settings import Settings
from extproc.config.stores import RedisStore, Slices
from extproc.errors import ConfigError
from extproc.rollout import WHOLE, Rollout
from tests.config.example import ENVIRON, TEXT, changed, write
from tests.config.overlaying import bound, table, written


def settings(folder: Path, base: str, text: str = TEXT) -> Settings:
    return bound(folder, base, text).settings


def test_a_base_file_that_says_nothing_changes_nothing(tmp_path: Path) -> None:
    plain = load(write(tmp_path, TEXT))
    config = bound(tmp_path, "")
    assert config.settings == plain.settings
    assert config.document.lines == plain.document.lines
    assert list(config.document.data) == list(plain.document.data)
    assert compile_table(config, ENVIRON).version == compile_table(plain, ENVIRON).version


def test_a_default_holds_where_the_team_says_nothing(tmp_path: Path) -> None:
    base = (
        "defaults: {drain: 5s, listen: 'unix:///run/other.sock', policies: {'*': {mode: shadow}}}"
    )
    found = settings(tmp_path, base)
    assert (found.drain, found.listen) == ("5s", "unix:///run/extproc.sock")
    assert [policy.mode for policy in found.policies.values()] == ["shadow", "shadow"]

    text = changed(('["text-*"]', '["text-*"]\n    mode: enforce'))
    assert settings(tmp_path, base, text).policies["partner"].mode == "enforce"


def test_an_override_holds_whatever_the_team_says_and_is_noted(tmp_path: Path) -> None:
    text = changed(('["text-*"]', '["text-*"]\n    mode: shadow'))
    config = bound(tmp_path, "overrides:\n  policies:\n    '*': {mode: enforce}", text)
    assert {policy.mode for policy in config.settings.policies.values()} == {"enforce"}
    (overruled,) = config.document.overruled
    assert overruled.place == ("policies", "partner", "mode")
    assert (overruled.origin.line, overruled.by.line) == (20, 4)


def test_a_field_is_called_as_in_a_policy_file(tmp_path: Path) -> None:
    redis, memory = '{kind: redis, url: "env:REDIS"%s}', "store: {kind: memory}\n"
    slices = ", slices: {share: 0.1, for: %s}"
    own = changed((memory, f"store: {redis % slices % '3s'}\n"))
    for base, text in (
        (f"defaults: {{store: {redis % slices % '7s'}}}", changed((memory, ""))),
        ("overrides: {store: {slices: {for: 7s}}}", own),
    ):
        found = settings(tmp_path, base, text)
        assert isinstance(found.store, RedisStore)
        assert found.store.slices == Slices(0.1, "7s")
    with pytest.raises(ConfigError, match=r":2: overrides\.store\.slices\.time: unknown field; "):
        settings(tmp_path, "overrides: {store: {slices: {time: 7s}}}", own)
    steps = "policies: {partner: {escalation: [{above: 0.9, deny: true, for: 1h}]}}"
    found = settings(tmp_path, f"overrides: {{detection: {{reference: ref}}, {steps}}}")
    assert [each.time for each in found.policies["partner"].escalation] == ["1h"]


def test_a_team_has_no_say_in_how_far_it_is_in_force_where_an_override_says_all_of_it(
    tmp_path: Path,
) -> None:
    own = TEXT + "rollout: {mode: off, percent: 1}\n"
    whole = settings(tmp_path, "overrides: {rollout: {mode: enforce, percent: 100}}", own)
    assert whole.rollout.rollout() == WHOLE
    half = settings(tmp_path, "overrides: {rollout: {mode: enforce}}", own)
    assert half.rollout.rollout() == Rollout("enforce", 1), "what is not named is the team's"


def test_mappings_are_merged_and_lists_are_replaced(tmp_path: Path) -> None:
    base = "overrides: {policies: {partner: {models: [digits], allow: {tools: false}}}}"
    text = changed(('models: ["text-*"]', 'models: ["text-*"]\n    allow: {batch: 4}'))
    found = settings(tmp_path, base, text).policies["partner"]
    assert found.models == ("digits",)
    assert (found.allow.batch, found.allow.tools) == (4, False)


def test_a_name_beats_what_is_said_of_all(tmp_path: Path) -> None:
    base = "overrides: {policies: {'*': {models: [a]}, trial: {models: [b]}}}"
    found = settings(tmp_path, base).policies
    assert (found["partner"].models, found["trial"].models) == (("a",), ("b",))


def test_every_tenant_has_the_policy_that_an_override_says(tmp_path: Path) -> None:
    found = table(tmp_path, "overrides: {tenants: {'*': {policy: partner}}}")
    assert {found.policies[key].models for key in found.policies} == {("text-*",)}


def test_a_tier_of_the_overrides_is_that_and_nothing_beside_it(tmp_path: Path) -> None:
    """A team that writes one of the same name adds no kind to it."""
    base = "overrides: {fidelities: {standard: {text: pass}}}"
    config = bound(tmp_path, base)
    assert config.settings.fidelities["standard"] == {"text": "pass"}
    assert [each.place for each in config.document.overruled] == [("fidelities", "standard")]


def test_a_tier_of_the_team_is_not_mixed_with_a_default_of_its_name(tmp_path: Path) -> None:
    base = "defaults: {fidelities: {full: {tensor: pass}, extra: {text: pass}}}"
    found = settings(tmp_path, base).fidelities
    assert found["full"].keys() == {"probabilities", "text"}
    assert found["extra"] == {"text": "pass"}
    assert list(found) == ["full", "standard", "extra"]


def test_what_holds_for_every_tier_lets_nothing_pass_that_was_dropped(tmp_path: Path) -> None:
    base = "overrides: {fidelities: {'*': {probabilities: [{kind: label_only}], logprobs: pass}}}"
    found = table(tmp_path, base)
    for policy in found.policies.values():
        assert policy.fidelity.mutators.keys() == {"probabilities", "text"}
        (mutator,) = policy.fidelity.mutators["probabilities"]
        assert type(mutator).__name__ == "LabelOnly"


def test_a_default_for_every_tier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"base\.yaml:2: defaults\.fidelities\.\*: no default"):
        bound(tmp_path, "defaults: {fidelities: {'*': {text: pass}}}")


def test_routes_are_bound_by_dialect_and_by_path(tmp_path: Path) -> None:
    base = """
    overrides:
      credentials: {keys: {strength: 2}}
      routes:
        openai_*: {risk: high}
        "* /v2/models/digits/*": {input: {body: 1KiB}}
    """
    found = settings(tmp_path, base)
    assert [route.risk for route in found.routes] == ["high", "normal", "normal"]
    assert [route.input.body for route in found.routes] == [None, "1KiB", None]


def test_another_template_or_method_line_does_not_get_a_route_out_of_a_pattern(
    tmp_path: Path,
) -> None:
    base = 'overrides: {routes: {"POST /v1/embeddings": {input: {body: 1KiB}}}}'
    text = changed(("/v1/embeddings", '"/{a}/{b}"'))
    assert settings(tmp_path, base, text).routes[0].input.body == "1KiB"


def test_defaults_of_routes_are_under_what_a_route_says(tmp_path: Path) -> None:
    base = "defaults: {routes: {'*': {input: {body: 1KiB, array: 7}}}}"
    text = changed(
        ("dialect: openai_embeddings", "dialect: openai_embeddings, input: {body: 2KiB}")
    )
    found = settings(tmp_path, base, text).routes
    assert [route.input.body for route in found] == ["2KiB", "1KiB", "1KiB"]
    assert {route.input.array for route in found} == {7}


def test_the_routes_of_the_overrides_are_all_there_are(tmp_path: Path) -> None:
    base = "overrides: {routes: [{path: /v1/chat/completions, dialect: openai_chat}]}"
    config = bound(tmp_path, base)
    assert [route.path for route in config.settings.routes] == ["/v1/chat/completions"]
    assert [each.place for each in config.document.overruled] == [("routes",)]


def test_a_team_without_routes_has_those_of_the_defaults(tmp_path: Path) -> None:
    base = "defaults: {routes: [{path: /v1/chat/completions, dialect: openai_chat}]}"
    start, end = TEXT.index("routes:"), TEXT.index("fidelities:")
    assert len(settings(tmp_path, base, TEXT[:start] + TEXT[end:]).routes) == 1
    assert len(settings(tmp_path, base).routes) == 3


def test_what_a_wildcard_says_is_left_out_where_a_kind_has_no_such_field(tmp_path: Path) -> None:
    base = "overrides: {routes: {'*': {dialect: {allow_response: [], unknown: strip}}}}"
    text = changed(("openai_embeddings", "{kind: openai_embeddings, allow_response: [x]}"))
    found = settings(tmp_path, base, text)
    dialects = [route.dialect for route in found.routes]
    assert [getattr(dialect, "unknown", None) for dialect in dialects] == ["strip", "strip", None]
    assert dialects[0].allow_response == ()  # type: ignore[union-attr]


def test_a_dialect_that_names_its_kind_replaces_another(tmp_path: Path) -> None:
    base = "overrides: {routes: {kserve_v2: {dialect: {kind: kserve_v2}}}}"
    assert settings(tmp_path, base).routes[1].dialect.outputs == {}  # type: ignore[union-attr]


def test_the_credential_that_nobody_names_is_bound_too(tmp_path: Path) -> None:
    base = "overrides: {credentials: {'*': {strength: 3, acr: {}}}}"
    assert settings(tmp_path, base).credentials["keys"].strength == 3
    base = "overrides: {credentials: {own: {kind: api_key}, '*': {strength: 3}}}"
    assert list(settings(tmp_path, base).credentials) == ["own"]


def test_a_wildcard_alone_makes_no_entries(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("policies:")]
    base = "overrides: {policies: {'*': {mode: enforce}}, fidelities: {'*': {tensor: pass}}}"
    assert settings(tmp_path, base, text).policies == {}


def test_a_dialect_that_does_not_exist_binds_nothing_and_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        bound(tmp_path, "overrides: {routes: {opena_chat: {risk: high}}}")
    assert "overrides.routes.opena_chat: there is no such dialect" in str(caught.value)
    assert "did you mean 'openai_chat'?" in str(caught.value)


def test_what_a_base_file_says_to_many_need_not_concern_each(tmp_path: Path) -> None:
    """Of the policy file's own lines the same ones are errors."""
    policy = (
        '{allow: {max_tokens: 9, choices: 2}, high_risk: ["POST /v1/chat/*"], '
        'routes: ["POST /v1/*", "GET /v1/*"], exceptions: [{routes: ["GET /v1/*"], models: [x], '
        "allow: {tools: true}}, {deny: false}, {models: [y]}]}"
    )
    found = table(tmp_path, f"overrides: {{policies: {{'*': {policy}}}}}")
    assert list(found.policies) == [
        ("acme", "POST /v1/embeddings"),
        ("beta", "POST /v1/embeddings"),
    ]
    with pytest.raises(ConfigError):
        table(
            tmp_path,
            "",
            changed(('["*"], fidelity: full', f'["*"], fidelity: full, {policy[1:-1]}')),
        )


def test_files_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform" / "secret").write_text("s" * 40, encoding="utf-8")
    base = written(tmp_path / "platform", "overrides: {keys: {hmac: 'file:secret'}}")
    config = load(write(tmp_path, TEXT), base)
    assert compile_table(config, {}).key == b"s" * 40


@pytest.mark.parametrize(
    ("base", "file", "wrong"),
    [
        ("defaults: {drain: 1}", "base", ":2: defaults.drain: is a whole number"),
        ("overrides:\n  admin: 127.0.0.1:9101", "base", ":3: admin: also the address of health"),
        (
            "overrides: {policies: {new: {mode: enforce}}}",
            "base",
            ":2: policies.new.models: missing",
        ),
        (
            "overrides: {tenants: {'*': {policy: x}}}",
            "base",
            ":2: tenants.acme.policy: there is no",
        ),
        (
            "overrides: {fidelities: {full: {text: [{kind: round, digits: 2}]}}}",
            "base",
            ":2: fidel",
        ),
        (
            "overrides: {credentials: {keys: {issuer: x}}}",
            "base",
            ":2: credentials.keys.issuer: unk",
        ),
        ("defaults: {drain: 5s}", "policy", ":20: policies.trial.fidelity: there is no fidelity"),
    ],
)
def test_errors_name_the_file_and_line_that_a_value_came_from(
    tmp_path: Path, base: str, file: str, wrong: str
) -> None:
    text = changed(('["*"], fidelity: full', '["*"], fidelity: ful')) if file == "policy" else TEXT
    with pytest.raises(ConfigError) as caught:
        table(tmp_path, base, text)
    assert str(caught.value).startswith(f"{tmp_path / file}.yaml{wrong.replace(':20:', ':17:')}")


def test_a_principal_in_two_files_is_told_with_both(tmp_path: Path) -> None:
    base = f"overrides:\n  tenants:\n    new: {{policy: trial, principals: ['key:{'a' * 64}']}}"
    with pytest.raises(ConfigError) as caught:
        table(tmp_path, base)
    where = f"{tmp_path / 'base.yaml'}:4: tenants.new.principals[0]: listed before, on line"
    assert str(caught.value).startswith(where)


@pytest.mark.parametrize("text", ["- 1\n", "routes: 3\n", "routes:\n  - {dialect: 3}\n  - 7\n"])
def test_what_is_no_policy_file_is_told_as_without_a_base(tmp_path: Path, text: str) -> None:
    base = "overrides: {routes: {'*': {risk: normal}}, policies: {'*': {mode: enforce}}}"
    with pytest.raises(ConfigError, match=r"policy\.yaml:"):
        bound(tmp_path, base, text)


@pytest.mark.parametrize(
    "text",
    [
        changed(("partner:\n", "partner:\n    exceptions: 7\n")),
        changed(("partner:\n", "partner:\n    exceptions: [7]\n")),
        changed(("partner:\n", "partner:\n    exceptions: [{allow: 7}]\n")),
        changed(("dialect: openai_embeddings", "dialect: openai_embeddings, credentials: 7")),
        TEXT.replace("tenants:", "tenants: 7\n#").split("\n  acme")[0] + "\n",
        TEXT + "  new:\n",
        TEXT.replace("fidelities:", "fidelities:\n  none:"),
    ],
)
def test_what_is_of_the_wrong_type_is_an_error_and_no_crash(tmp_path: Path, text: str) -> None:
    base = """
    defaults: {tenants: {"*": {policy: trial}}}
    overrides:
      policies: {"*": {fidelity: full, allow: {tools: false}}}
      fidelities: {"*": {text: pass}}
      routes: {openai_embeddings: {risk: high}}
    """
    with pytest.raises(ConfigError):
        bound(tmp_path, base, text)


def test_values_know_their_file_line_and_layer(tmp_path: Path) -> None:
    base = "defaults: {drain: 9s}\noverrides:\n  policies: {'*': {mode: enforce}}"
    document = bound(tmp_path, base).document
    path = tmp_path / "base.yaml"
    assert document.origin(("drain",)) == Origin(path, 2, "default")
    assert document.origin(("policies", "trial", "mode")) == Origin(path, 4, "override")
    assert document.origin(("health",)) == Origin(tmp_path / "policy.yaml", 3)
    assert str(document.origin(("drain",))) == f"{path}:2 default"
    assert document.mention(("health",)) == "line 3"
    assert document.mention(("drain",)) == f"line 2 of {path}"


texts = st.sampled_from(["a", "b", "c"])
documents = st.recursive(
    st.integers(0, 3) | texts,
    lambda inner: st.dictionaries(texts, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=6,
)


@given(default=documents, own=documents, override=documents)
def test_an_override_holds_at_every_place_it_names(
    default: object, own: object, override: object
) -> None:
    """Whatever is below it; and without one the team's value does."""
    layers: tuple[Layer, ...] = ("default", "policy", "override")
    layered = map(part, (default, own, override), layers)
    made = _Overlay(Document(Path("x"), {}, {(): 1}), None, None)
    found = made._stacked(("x",), *layered)
    assert found is not None
    assert holds(override, found.data())


def part(data: object, layer: Layer) -> Part:
    origin = Origin(Path("x"), 1, layer)
    if isinstance(data, dict):
        return Part({key: part(value, layer) for key, value in data.items()}, origin)
    if isinstance(data, list):
        return Part([part(value, layer) for value in data], origin)
    return Part(data, origin)


def holds(asked: object, found: object) -> bool:
    if isinstance(asked, dict):
        return isinstance(found, dict) and all(holds(v, found.get(k)) for k, v in asked.items())
    return asked == found
