"""Which tiers may mark texts, where, and for whom."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.config import compile_table, load
from extproc.config.vault_key import new_pair
from extproc.errors import ClientError, ConfigError
from extproc.policy import Policy, PolicyTable
from tests.config.example import ENVIRON, changed, write
from tests.config.test_marks import KEPT, TENANTS
from tests.marks.wordlists import content, words

CHAT = "POST /v1/chat/completions"
LIST = "{kind: green_list, vocabulary: words.json, bias: 2}"
CANARY = "{kind: canary, rate: 0.01}"
PROCESSOR = "{kind: vllm_processor, arguments: {gamma: 0.5}, key: seed}"
ROUTES = """routes:
  - {path: /v1/chat/completions, dialect: openai_chat}
  - {path: /v1/completions, dialect: openai_completions}
"""


def compiled(
    folder: Path, *chain: str, more: str = "", route: str = "", kept: str = KEPT
) -> PolicyTable:
    (folder / "audit.pem").write_bytes(new_signing_pair()[0])
    (folder / "vault.pub").write_bytes(new_pair()[1])
    if not (folder / "words.json").exists():
        (folder / "words.json").write_bytes(content())
    text = changed(
        ("routes:\n", ROUTES + route),
        ("full: {probabilities: pass, text: pass}", f"full: {{text: [{', '.join(chain)}]{more}}}"),
        ("fidelities:", f"{kept}fidelities:"),
    )
    return compile_table(load(write(folder, text + TENANTS)), ENVIRON)


def policy(table: PolicyTable, tenant: str, route: str = CHAT) -> Policy:
    return table.policies[tenant, route]


def sent(policy: Policy, **fields: Any) -> dict[str, Any]:
    """What goes on of a request."""
    completes = policy.route.path == "/v1/completions"
    text: dict[str, Any] = {"prompt": "hi"} if completes else {"messages": []}
    body = orjson.dumps({"model": "gpt", **text, **fields})
    body = policy.route.dialect.read(body, {}, policy.terms).body
    read: dict[str, Any] = orjson.loads(body)
    return read


def test_requests_of_a_tenant_go_on_with_its_own_list(tmp_path: Path) -> None:
    """Planted: one list for all would accuse each of what another did."""
    table = compiled(tmp_path, LIST)
    lists = {name: sent(policy(table, name))["logit_bias"] for name in ("beta", "one", "two")}
    assert lists["one"] == lists["two"] != lists["beta"]
    for listed in lists.values():
        assert set(listed.values()) == {2.0}
        assert set(listed) < set(map(str, range(60)))
        assert 15 < len(listed) < 45
    for name, listed in lists.items():
        completion = policy(table, name, "POST /v1/completions")
        assert sent(completion, stream=True)["logit_bias"] == listed


@pytest.mark.parametrize("own", [{"1": 100}, {"1": 0}, [], "x", 1])
def test_a_client_cannot_have_a_bias_of_its_own(tmp_path: Path, own: Any) -> None:
    """Planted: a client's bias that survives takes the marks out, or measures them."""
    there = policy(compiled(tmp_path, LIST), "beta")
    with pytest.raises(ClientError, match="'logit_bias' has a value that is not available"):
        sent(there, logit_bias=own)
    assert sent(there, logit_bias=None) == sent(there, logit_bias={}) == sent(there)


def test_whoever_is_exempt_and_other_tiers_are_not_marked(tmp_path: Path) -> None:
    table = compiled(tmp_path, LIST, CANARY)
    for name in ("spared", "acme"):
        there = policy(table, name)
        assert "logit_bias" not in sent(there)
        assert sent(there, logit_bias={"1": 1})["logit_bias"] == {"1": 1}
        assert there.canaries is None


def test_a_processor_of_the_model_servers_is_told_the_key_of_a_cohort(tmp_path: Path) -> None:
    table = compiled(tmp_path, PROCESSOR)
    told = {name: sent(policy(table, name))["vllm_xargs"] for name in ("beta", "one", "two")}
    assert told["one"] == told["two"] != told["beta"]
    assert set(told["one"]) == {"gamma", "seed"}
    assert 0 < told["one"]["seed"] < 1 << 53
    with pytest.raises(ClientError):
        sent(policy(table, "beta"), vllm_xargs={"seed": 1})
    plain = compiled(tmp_path, "{kind: vllm_processor, arguments: {gamma: 0.5}}")
    assert sent(policy(plain, "beta"))["vllm_xargs"] == {"gamma": 0.5}


def test_a_tier_plants_canaries_for_a_cohort_or_for_a_tenant_without_one(tmp_path: Path) -> None:
    table = compiled(tmp_path, CANARY)
    beta, one, two = (policy(table, name).canaries for name in ("beta", "one", "two"))
    assert beta is not None
    assert one is not None
    assert two is not None
    assert one.draw == two.draw != beta.draw
    assert (one.rate, one.wording) == (0.01, "\n\n(Reference: {})")
    assert policy(table, "beta").answers.keys() == policy(table, "spared").answers.keys()
    kserve = policy(table, "beta", "POST /v2/models/{model}/infer")
    assert kserve.answers == policy(table, "spared", "POST /v2/models/{model}/infer").answers


@pytest.mark.parametrize(
    ("chain", "more", "wrong"),
    [
        ((LIST, LIST), "", "green_list stands there twice"),
        ((CANARY, CANARY), "", "canary stands there twice"),
        ((LIST,), ", logprobs: pass", "logprobs, which would tell how texts are marked"),
        ((CANARY,), ", logprobs: pass", "logprobs, which would tell"),
        ((), f", probabilities: [{LIST}]", "green_list does not work on probabilities"),
        ((LIST.replace("words", "others"),), "", "others.json cannot be read"),
    ],
)
def test_a_tier_that_would_give_its_marks_away_is_refused(
    tmp_path: Path, chain: tuple[str, ...], more: str, wrong: str
) -> None:
    with pytest.raises(ConfigError, match=wrong):
        compiled(tmp_path, *chain or ("{kind: drop}",), more=more)


@pytest.mark.parametrize(
    ("chain", "wrong"),
    [
        (LIST, "speaks an API without logit_bias"),
        (PROCESSOR, "speaks an API without vllm_xargs"),
        (CANARY, "answers texts that nothing can stand behind"),
    ],
)
def test_a_route_that_cannot_do_it_is_refused(tmp_path: Path, chain: str, wrong: str) -> None:
    route = "  - {path: /api/chat, dialect: ollama_chat}\n"
    with pytest.raises(ConfigError, match=wrong):
        compiled(tmp_path, chain, route=route)


def test_a_canary_that_nothing_commits_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="commits to"):
        compiled(tmp_path, CANARY, LIST, kept="")
    assert policy(compiled(tmp_path, LIST, kept=""), "beta").terms.imposed


@pytest.mark.parametrize(
    ("file", "wrong"), [(b"{}", "no vocabulary"), (b" " * (1 << 20) + b"{}", "larger than")]
)
def test_a_vocabulary_that_cannot_be_used_is_refused(
    tmp_path: Path, file: bytes, wrong: str
) -> None:
    (tmp_path / "words.json").write_bytes(file)
    with pytest.raises(ConfigError, match=wrong):
        compiled(tmp_path, LIST)


def test_another_vocabulary_is_another_policy(tmp_path: Path) -> None:
    before = compiled(tmp_path, LIST).version
    (tmp_path / "words.json").write_bytes(content(len(words(61))))
    assert compiled(tmp_path, LIST).version != before
