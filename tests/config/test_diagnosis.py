from pathlib import Path

import pytest

from extproc.config import routes
from extproc.config.expectation import one_of
from extproc.errors import ConfigError
from tests.config.example import TEXT, changed, loaded

PRINCIPAL = (
    "write the hash of a key, as printed by: extproc keys hash; or jwt:ISSUER|SUBJECT, "
    "mtls:URI, or mtls:sha256:DIGEST of a certificate"
)
DURATION = "a duration such as 250ms, 1s, 5m, 1h or 1d"
SIZE = "a size such as 256KiB or 1MiB, or a number of bytes"
UNITS = "bits, concurrent, credits, queries, requests, tokens"
SCOPES = (
    "address, cohort, kind, model, principal, risk, route, tenant, user or a list of 1 to 9 items"
)
NAME = "a name: at most 64 letters, digits, '.', '_' and '-'"
FIELDS = (
    "version, listen, health, keys, routes, credentials, admin, control, store, caps, drain, "
    "notice, ..."
)
DIALECTS = one_of(routes.DIALECTS)
DIALECT = "the name of a dialect, or its configuration"
MUTATORS = "pass, or a list of mutators such as {kind: round, digits: 2}"


def told(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return str(caught.value).removeprefix(f"{folder}/policy.yaml:")


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("version: 1", "version: 2", "1: version", "unknown value; write 1"),
        ("version: 1", "version: '1'", "1: version", "is text; write 1"),
        ("version: 1", "version: true", "1: version", "is true or false; write 1"),
        ("version: 1\n", "", "1: version", "missing; add 1"),
        ("store:", "sotre:", "4: sotre", "unknown field; did you mean 'store'?"),
        ("store:", "zz:", "4: zz", f"unknown field; write one of {FIELDS}"),
        (
            "kind: memory",
            "kind: rediss",
            "4: store.kind",
            "unknown name 'rediss'; did you mean 'redis'?",
        ),
        ("{kind: memory}", "memory", "4: store", "is text; write a mapping"),
        ("{kind: memory}", "{}", "4: store.kind", "missing; add one of memory, redis"),
        (
            "kind: memory",
            "kind: memory, max_counters: 0",
            "4: store.max_counters",
            "out of range; write a whole number from 1 to 10000000",
        ),
        (
            "env:HMAC",
            "0123456789abcdef0123456789abcdef",
            "5: keys.hmac",
            "malformed; write file:PATH or env:NAME, where the secret is; it does not belong here",
        ),
        (
            "dialect: openai_embeddings",
            "dialect: 3",
            "7: routes[0].dialect",
            f"is a whole number; write {DIALECT}",
        ),
        (", dialect: openai_embeddings", "", "7: routes[0].dialect", f"missing; add {DIALECT}"),
        (
            "dialect: openai_embeddings",
            "dialct: x",
            "7: routes[0].dialct",
            "unknown field; did you mean 'dialect'?",
        ),
        (
            "kind: kserve_v2",
            "kind: kserve",
            "9: routes[1].dialect.kind",
            "unknown name 'kserve'; did you mean 'kserve_v2'?",
        ),
        (
            "kind: kserve_v2",
            "kind: zz",
            "9: routes[1].dialect.kind",
            f"unknown name 'zz'; write {DIALECTS}",
        ),
        (
            "kind: kserve_v2",
            "kind: 2",
            "9: routes[1].dialect.kind",
            f"is a whole number; write {DIALECTS}",
        ),
        (
            "{kind: kserve_v2, outputs",
            "{outputs",
            "9: routes[1].dialect.kind",
            f"missing; add {DIALECTS}",
        ),
        (
            "outputs:",
            "output:",
            "9: routes[1].dialect.output",
            "unknown field; did you mean 'outputs'?",
        ),
        (
            "{probs: probabilities}",
            "[]",
            "9: routes[1].dialect.outputs",
            "is a list; write a mapping",
        ),
        (
            "probs: probabilities",
            "a: label, b: scores, c: scores",
            "9: routes[1].dialect.outputs.b",
            "unknown name 'scores'; did you mean 'score'?",
        ),
        (
            "path: /v1/embeddings",
            "path: v1/embeddings",
            "7: routes[0].path",
            "malformed; write a path such as /v1/embeddings or /v2/models/{model}/infer",
        ),
        (
            ", method: GET",
            ", method: PUT",
            "10: routes[2].method",
            "unknown name 'PUT'; write one of GET, POST",
        ),
        (
            "routes:",
            "routes: []\ndrain: 1s\nzz:",
            "6: routes",
            "wrong number of items; write a list of 1 to 200 items",
        ),
        (
            "full: {prob",
            "full: {probs: pass, prob",
            "12: fidelities.full.probs",
            "unknown name; did you mean 'logprobs'?",
        ),
        (
            "    text: pass",
            "    txt: pass",
            "15: fidelities.standard.txt",
            "unknown name; did you mean 'text'?",
        ),
        ("full: {", "'a|b': {", "12: fidelities.a|b", f"malformed name; write {NAME}"),
        (
            "probabilities: pass",
            "probabilities: pas",
            "12: fidelities.full.probabilities",
            "unknown name 'pas'; did you mean 'pass'?",
        ),
        (
            "probabilities: pass",
            "probabilities: none",
            "12: fidelities.full.probabilities",
            f"unknown name 'none'; write {MUTATORS}",
        ),
        (
            "probabilities: pass",
            "probabilities: []",
            "12: fidelities.full.probabilities",
            f"wrong number of items; write {MUTATORS}",
        ),
        (
            "probabilities: pass",
            "probabilities: true",
            "12: fidelities.full.probabilities",
            f"is true or false; write {MUTATORS}",
        ),
        (
            "kind: top_k",
            "kind: topk",
            "14: fidelities.standard.probabilities[0].kind",
            "unknown name 'topk'; did you mean 'top_k'?",
        ),
        (
            "k: 3",
            "k: 0",
            "14: fidelities.standard.probabilities[0].k",
            "out of range; write a whole number of at least 1",
        ),
        (
            "digits: 2",
            "digits: 9",
            "14: fidelities.standard.probabilities[1].digits",
            "out of range; write a whole number from 0 to 6",
        ),
        (
            "digits: 2",
            "digits: 2.5",
            "14: fidelities.standard.probabilities[1].digits",
            "is a number with decimals; write a whole number from 0 to 6",
        ),
        (
            ", digits: 2",
            "",
            "14: fidelities.standard.probabilities[1].digits",
            "missing; add a whole number from 0 to 6",
        ),
        (
            'models: ["*"]',
            "models: []",
            "17: policies.trial.models",
            "wrong number of items; write a list that is not empty",
        ),
        (
            'models: ["*"]',
            'models: [""]',
            "17: policies.trial.models[0]",
            "malformed; write the name of a model, in which * stands for any text",
        ),
        (
            'models: ["*"]',
            "models: '*'",
            "17: policies.trial.models",
            "is text; write a list that is not empty",
        ),
        (
            "fidelity: full",
            "fidelity: full, mode: shadwo",
            "17: policies.trial.mode",
            "unknown name 'shadwo'; did you mean 'shadow'?",
        ),
        (
            "fidelity: full",
            "fidelity: full, mode: off",
            "17: policies.trial.mode",
            "unknown name 'off'; write one of enforce, shadow",
        ),
        (
            "fidelity: full",
            "fidelity: full, limits: {}",
            "17: policies.trial.limits",
            "is a mapping; write a list of at most 50 items",
        ),
        (
            "name: burst",
            "name: a b",
            "22: policies.partner.limits[0].name",
            f"malformed; write {NAME}",
        ),
        (
            "per: principal",
            "per: key",
            "22: policies.partner.limits[0].per",
            f"unknown name 'key'; write one of {SCOPES}",
        ),
        (
            "count: requests",
            "count: words",
            "22: policies.partner.limits[0].count",
            f"unknown name 'words'; write one of {UNITS}",
        ),
        (
            "max: 20",
            "max: 0",
            "22: policies.partner.limits[0].max",
            "out of range; write a whole number from 1 to 1000000000000",
        ),
        (
            "window: 1s",
            "window: 0s",
            "22: policies.partner.limits[0].window",
            f"malformed; write {DURATION} or nothing",
        ),
        (
            "window: 1s",
            "window: 1",
            "22: policies.partner.limits[0].window",
            f"is a whole number; write {DURATION} or nothing",
        ),
        ("  acme:", "  a b:", "24: tenants.a b", f"malformed name; write {NAME}"),
        ("  acme:", "  ''  :", "24: tenants.", f"malformed name; write {NAME}"),
        ("  acme:", f"  {'a' * 65}:", f"24: tenants.{'a' * 64}", f"malformed name; write {NAME}"),
        ("key:a", "kye:a", "24: tenants.acme.principals[0]", f"malformed; {PRINCIPAL}"),
        ("key:a", "key:A", "24: tenants.acme.principals[0]", f"malformed; {PRINCIPAL}"),
        ("key:b", "key:", "25: tenants.beta.principals[0]", f"malformed; {PRINCIPAL}"),
        ("tenants:", "drain: 30\ntenants:", "23: drain", f"is a whole number; write {DURATION}"),
        (
            "tenants:",
            "caps: {request: 1MB}\ntenants:",
            "23: caps.request",
            f"malformed; write {SIZE}",
        ),
        (
            "tenants:",
            "caps: {request: 0}\ntenants:",
            "23: caps.request",
            f"out of range; write {SIZE}",
        ),
        (
            "tenants:",
            "caps: {requst: 1}\ntenants:",
            "23: caps.requst",
            "unknown field; did you mean 'request'?",
        ),
        ("tenants:", "tenants:\nzz:", "23: tenants", "is empty; write a mapping"),
        ("policies:", "policies:\n  empty:", "17: policies.empty", "is empty; write a mapping"),
        (TEXT, "- 1\n", "1: the file", "is a list; write a mapping"),
        (TEXT, "text\n", "1: the file", "is text; write a mapping"),
    ],
)
def test_a_mistake_is_told_by_its_place(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    assert told(tmp_path, changed((old, new))) == f"{place}: {message}"


def test_the_first_of_many_alike_is_found(tmp_path: Path) -> None:
    """msgspec leaves the keys of mappings out of its paths; both levels must be found again."""
    tiers = "".join(f"  t{tier}: {{text: pass, label: pass}}\n" for tier in range(9))
    for bad in range(9):
        text = tiers.replace(
            f"t{bad}: {{text: pass, label: pass", f"t{bad}: {{text: pass, label: x"
        )
        text = text.replace("t8: {text: pass", "t8: {text: x")
        line = 12 + bad
        place = f"{line}: fidelities.t{bad}.{'text' if bad == 8 else 'label'}"
        assert told(tmp_path, changed(("  full:", f"{text}  full:"))).startswith(f"{place}: ")


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    message = told(tmp_path, changed(("kind: memory", f"kind: {'x' * 4000}")))
    assert message == f"4: store.kind: unknown name '{'x' * 64}...'; write one of memory, redis"


def test_a_value_is_never_repeated(tmp_path: Path) -> None:
    """A key pasted in the wrong place must not reach a log."""
    key = "xk-hunter2hunter2hunter2"
    for old in ("env:HMAC", f"key:{'a' * 64}", "1s", "127.0.0.1:9101", "unix:///run"):
        assert key not in told(tmp_path, changed((old, key)))
    assert key not in told(tmp_path, changed(("text-*", key * 20)))


MANY = "".join(f"  tenant-{index:03}: {{policy: trial}}\n" for index in range(700))


def test_a_mistake_among_many_tenants_is_told_by_its_place(tmp_path: Path) -> None:
    before = TEXT.count("\n")
    assert len(loaded(tmp_path, TEXT + MANY).settings.tenants) == 702
    wrong = MANY.replace("  tenant-600: {policy: trial}", "  tenant-600: {policy: trial, x: 1}")
    with pytest.raises(ConfigError, match=rf":{before + 601}: tenants\.tenant-600\.x: unknown"):
        loaded(tmp_path, TEXT + wrong)
    wrong = MANY.replace("tenant-600", "tenant 600")
    with pytest.raises(ConfigError, match=rf":{before + 601}: tenants\.tenant 600: malformed"):
        loaded(tmp_path, TEXT + wrong)
