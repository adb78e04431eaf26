"""Which tiers may mark texts, where, and for whom."""

from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.canonical import at_once
from extproc.config import compile_table, load
from extproc.config.vault_key import new_pair
from extproc.dialects.request import Asked
from extproc.draw import Draw
from extproc.errors import ClientError, ConfigError
from extproc.marks.green_list import bias, green
from extproc.marks.marking import Finding
from extproc.marks.vocabulary import read
from extproc.policy import Policy, PolicyTable
from extproc.prediction import Query
from tests.config.example import ENVIRON, changed, write
from tests.config.test_marks import KEPT, TENANTS
from tests.marks.wordlists import content, vocabulary, words

CHAT = "POST /v1/chat/completions"
LIST = "{kind: green_list, vocabulary: words.json, bias: 2}"
CANARY = "{kind: canary, rate: 0.01}"
PROCESSOR = "{kind: vllm_processor, arguments: {gamma: 0.5}, key: seed}"
NO_PROCESSOR = "{kind: vllm_processor}"
TOLD_TWICE = "{kind: vllm_processor, arguments: {seed: 1}, key: seed}"
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


def test_texts_are_marked_alike_in_every_order(tmp_path: Path) -> None:
    """Each stands once, and works on a part of its own."""
    marked = []
    for chain in permutations([LIST, PROCESSOR, CANARY]):
        there = policy(compiled(tmp_path, *chain), "beta")
        assert there.canaries is not None
        marked.append((sent(there), there.canaries.rate, there.canaries.draw))
        with pytest.raises(ConfigError, match="stands there twice; remove one of the two"):
            compiled(tmp_path, *chain, chain[0])
    assert marked == marked[:1] * 6


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
        ((CANARY, CANARY), "", r"text\[1\]: canary stands there twice"),
        ((NO_PROCESSOR,), "", r"text\[0\]: vllm_processor without arguments and key does nothing"),
        ((TOLD_TWICE,), "", r"arguments: seed is the key, which is each cohort's own"),
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


@pytest.mark.parametrize("chain", [CANARY, LIST, PROCESSOR])
def test_what_nothing_commits_to_is_refused(tmp_path: Path, chain: str) -> None:
    """Planted: a key that nobody held before can be searched for until it fits a text."""
    with pytest.raises(ConfigError, match="that nothing commits to proves nothing"):
        compiled(tmp_path, chain, kept="")


def findings(policy: Policy, model: str = "gpt") -> list[Finding]:
    made = at_once(policy.marking(Asked(Query(model, 1), b"", ["hi"])))
    return made.findings if made is not None else []


def test_a_list_is_committed_to_for_each_who_has_it_and_each_model_and_route(
    tmp_path: Path,
) -> None:
    """Planted: one name for all of a tenant's would leave out where else a list was in force."""
    table = compiled(tmp_path, LIST)
    places = [(name, CHAT, "gpt") for name in ("beta", "one", "two")]
    places += [("beta", CHAT, "other"), ("beta", "POST /v1/completions", "gpt")]
    found = [findings(policy(table, name, route), model)[0] for name, route, model in places]
    assert {each.stamp for each in found} == {"green_list"}
    assert len({each.cell for each in found}) == 4  # two of one cohort have one together
    assert len({each.other for each in found}) == 2
    assert findings(policy(table, "spared")) == []
    assert findings(policy(table, "acme")) == []


def test_what_is_committed_to_is_enough_to_draw_the_list_anew(tmp_path: Path) -> None:
    there = policy(compiled(tmp_path, LIST), "beta")
    [found] = findings(there)
    listed = read(found.input)
    key = Draw(bytes.fromhex(str(found.other)))
    assert listed == vocabulary()
    assert bias(listed, key, 2.0) == there.terms.imposed["logit_bias"]


def test_the_key_of_a_list_tells_no_other(tmp_path: Path) -> None:
    """Planted: one key for all lists of a tenant, and whoever judges one knows the next."""
    [before] = findings(policy(compiled(tmp_path, LIST), "beta"))
    (tmp_path / "words.json").write_bytes(content(len(words(61))))
    [after] = findings(policy(compiled(tmp_path, LIST), "beta"))
    assert before.other != after.other
    listed = vocabulary()
    lists = [green(listed, Draw(bytes.fromhex(str(each.other)))) for each in (before, after)]
    assert 10 < (lists[0] != lists[1]).sum() < 50


def test_the_key_of_a_processor_is_committed_to(tmp_path: Path) -> None:
    there = policy(compiled(tmp_path, PROCESSOR), "beta")
    [found] = findings(there)
    assert found.other == str(there.terms.imposed["vllm_xargs"]["seed"])
    assert (found.stamp, found.input) == ("processor", b'{"gamma":0.5}')
    plain = compiled(tmp_path, "{kind: vllm_processor, arguments: {gamma: 0.5}}")
    assert findings(policy(plain, "beta")) == []


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


def test_a_route_that_answers_no_texts_is_asked_for_nothing_of_theirs(tmp_path: Path) -> None:
    table = compiled(tmp_path, LIST, more=", embedding: pass")
    there = policy(table, "beta", "POST /v1/embeddings")
    body = orjson.dumps({"model": "gpt", "input": "hi"})
    assert there.route.dialect.read(body, {}, there.terms).body == body
