"""Mutators chained in every order behind a real Envoy: each answer is, octet for octet, what the
chain makes of the model's.

One policy file has a tier for each chain that the loader accepts: every mutator of the registry
alone, every ordered pair, and every three of which one is private or marks, so that whatever has to
be first is seen before every two of the others.  What else may follow what is decided by pairs
(tests/config/test_orders.py), and longer chains keep their laws in tests/laws/test_orders.py.  All
tenants are of one cohort, so that one input is marked for all of them.  Classes are told by their
names, but where a chain is private by their places in a tensor, which are not the model's choice.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal, get_args

import httpx
import msgspec
import numpy as np
import orjson
import pytest

from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.canonical import at_once
from extproc.config import compile_table, load
from extproc.config.vault_key import new_pair
from extproc.draw import Draws
from extproc.mutators import Mark, Similarity, mutate
from extproc.policy import Policy, PolicyTable
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Matrix,
    Prediction,
    Probabilities,
    Score,
    Token,
    Votes,
)
from tests.config.orders import Chain, accepted, is_private, is_promising, written
from tests.e2e.budgets import headers, plans
from tests.e2e.gateway import LiveGateway, live_gateway, write_policy
from tests.e2e.upstream import Upstream, answering
from tests.mutators.vectors import gaussian

Told = Literal["probabilities", "places", "votes", "score", "logprobs", "embedding"]
"""How predictions are told; ``places``: probabilities without the names of their classes."""
_ROUTES: Final = """\
  - {path: /votes, dialect: {kind: votes, teachers: 10}}
  - {path: "/models/{model}", dialect: hf_pipeline}
  - {path: "/places/{model}", dialect: {kind: kserve_v2, outputs: {classes: probabilities}}}
"""
_TENSORS: Final = "outputs: {probabilities: probabilities, label: label}"
_KEPT: Final = (
    'audit: {path: audit.jsonl, key: "file:audit.pem"}\n'
    'ownership: {vault: marks.vault, recipient: "file:vault.pub"}\n'
)
CLASSES: Final = ("ant", "bee", "cat", "doe", "elk", "fox")
RANDOM: Final = np.random.default_rng(3)


def kind_of(told: Told) -> Kind:
    return "probabilities" if told == "places" else told


def chains(told: Told) -> list[Chain]:
    """Of the two ways to tell probabilities each chain has one."""
    kind = kind_of(told)
    every = [c for c in accepted(kind, 3) if len(c) < 3 or is_promising(c)]
    if kind != "probabilities":
        return every
    return [each for each in every if is_private(each) is (told == "places")]


TIERS: Final[Mapping[str, tuple[Told, Chain]]] = {
    f"band-{told}-{number}": (told, chain)
    for told in get_args(Told)
    for number, chain in enumerate(chains(told))
}
"""By tenant, which is called as its tier."""


def tier(told: Told, chain: Chain) -> str:
    beside = ", label: pass" if told == "probabilities" else ""
    return f"{{{kind_of(told)}: {msgspec.json.encode(chain).decode()}{beside}}}"


def policy(name: str, told: Told) -> str:
    return f'fidelity: {name}, routes: ["POST {TEMPLATES[told]}"]'


def change(text: str) -> str:
    text = text.replace(_TENSORS, "outputs: {scores: score}")
    text = plans({name: policy(name, told) for name, (told, _) in TIERS.items()}, _KEPT, _ROUTES)(
        text
    )
    text = text.replace("risk: high, ", "")
    tiers = "".join(f"  {name}: {tier(*each)}\n" for name, each in TIERS.items())
    return text.replace("fidelities:\n", f"fidelities:\n{tiers}", 1)


def softmax(temperature: float) -> list[float]:
    weights = np.exp(RANDOM.standard_normal(len(CLASSES)) * temperature)
    return [float(each) for each in weights / weights.sum()]


CLASSIFIED: Final = [Probabilities(np.array(softmax(each))) for each in (0.05, 0.05, 2)]
SAID: Final[Mapping[Told, Sequence[Prediction]]] = {
    "probabilities": CLASSIFIED,
    "places": CLASSIFIED,
    "votes": [Votes(np.array(row)) for row in ([4, 5, 1], [3, 3, 4])],
    "score": [Score(each) for each in (17.2, -3.14159, *np.linspace(0.7499123, 2, 70).tolist())],
    "logprobs": [
        Logprobs(Token(" a", -0.0871234), (Token(" a", -0.0871234), Token(" b", -3.2141))),
        Logprobs(Token(" b", -1.2345678), (Token(" a", -0.91234), Token(" b", -1.2345678))),
    ],
    "embedding": [Embedding(gaussian(each, 8).round(6)) for each in (1, 2, 3)],
}
"""What the model says of the inputs of a question, of which the first may be marked; so many scores
that they are answered at once."""
TEMPLATES: Final[Mapping[Told, str]] = {
    "probabilities": "/models/{model}",
    "places": "/places/{model}",
    "votes": "/votes",
    "score": "/v2/models/{model}/infer",
    "logprobs": "/v1/chat/completions",
    "embedding": "/v1/embeddings",
}
PATHS: Final = {told: path.replace("{model}", "digits") for told, path in TEMPLATES.items()}


def document(told: Told, predictions: Sequence[Any]) -> bytes:
    """An answer that says this of its inputs: the model server's, and the gateway's."""
    match told:
        case "probabilities":
            return orjson.dumps([entries(each) for each in predictions])
        case "places":
            return _tensor("classes", np.array([each.values for each in predictions]))
        case "score":
            return _tensor("scores", np.array([each.value for each in predictions]))
        case "votes":
            rows = [each.values.tolist() for each in predictions]
            return orjson.dumps({"model": "zoo", "votes": rows})
        case "embedding":
            return _vectors([each.values.astype("<f4") for each in predictions])
        case _:
            return _chat([token(each) for each in predictions if each is not None])


def entries(prediction: Probabilities) -> list[dict[str, Any]]:
    """In the server's order, without what is hidden, and at the end what that adds up to."""
    shown = [pair for pair in zip(CLASSES, prediction.values.tolist(), strict=True) if pair[1]]
    if prediction.other:
        shown.append(("other", prediction.other))
    return [{"label": name, "score": each} for name, each in shown]


def _vectors(rows: Sequence[Any]) -> bytes:
    data = [
        {"object": "embedding", "index": number, "embedding": row}
        for number, row in enumerate(rows)
    ]
    said = {"object": "list", "data": data, "model": "minilm"}
    return orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY)


def _tensor(name: str, values: Matrix) -> bytes:
    data = values.ravel().tolist()
    output = {"name": name, "shape": values.shape, "datatype": "FP64", "data": data}
    return orjson.dumps({"model_name": "digits", "outputs": [output]})


def token(prediction: Logprobs) -> dict[str, Any]:
    chosen, *others = (
        {"token": each.text, "logprob": each.logprob, "bytes": None}
        for each in (prediction.chosen, *prediction.alternatives)
    )
    return {**chosen, "top_logprobs": others}


def _chat(entries: list[Any]) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None},
        "logprobs": {"content": entries, "refusal": None},
        "finish_reason": "stop",
    }
    said = {"id": "c", "object": "chat.completion", "created": 1, "model": "tiny-lm"}
    return orjson.dumps({**said, "choices": [choice]})


def question(told: Told, seed: int) -> bytes:
    """About as many inputs as there are answers; the first is another for every seed."""
    match told:
        case "probabilities":
            return orjson.dumps({"inputs": [f"question {seed}", "b", "c"]})
        case "score" | "places":
            data = [seed + at / 8 for at in range(len(SAID[told]))]
            image = {"name": "image", "shape": [len(data), 1], "datatype": "FP64"}
            return orjson.dumps({"inputs": [{**image, "data": data}]})
        case "votes":
            return orjson.dumps({"model": "zoo", "inputs": [f"{seed}", "b"]})
        case "embedding":
            return orjson.dumps({"model": "minilm", "input": [f"{seed}", "b", "c"]})
        case _:
            messages = [{"role": "user", "content": f"{seed}"}]
            asked = {"model": "tiny-lm", "messages": messages, "logprobs": True}
            return orjson.dumps({**asked, "top_logprobs": 5})


def wanted(terms: Policy, told: Told, chain: Chain, asked: bytes) -> bytes:
    """What the chain makes of the answer, as it is written, one prediction after the other."""
    draws, _ = drawn(terms, told, asked)
    last = chain[-1] if isinstance(chain[-1], Similarity) else None
    after: list[Any] = [
        mutate(chain[:-1] if last else chain, draws.of(number) if draws else None, prediction)
        for number, prediction in enumerate(SAID[told])
    ]
    if last is not None:  # of vectors as exactly as they would be served
        after = [Embedding(each.values.astype("<f4").astype(float)) for each in after]
        after = last.apply_all(after)
    return document(told, after)


def drawn(terms: Policy, told: Told, asked: bytes) -> tuple[Draws | None, bool]:
    """What the answer to a question draws from, and whether its first input is marked."""
    parameters = terms.route.match(PATHS[told])
    assert parameters is not None
    read = terms.route.dialect.read(asked, parameters, terms.terms)
    digests, marking = at_once(terms.digests(read)), at_once(terms.marking(read))
    stamped = marking.stamped.get(0) if marking is not None else None
    is_marked = stamped is not None and stamped.stamp == "mark"
    return terms.draws(read.query.model, digests, marking), is_marked


def of(table: PolicyTable, tenant: str) -> Policy:
    return table.policies[tenant, f"POST {TEMPLATES[TIERS[tenant][0]]}"]


def seed(table: PolicyTable, told: Told) -> int:
    """Of a question whose first input is marked for every tenant, where this is marked."""
    marking = [
        name for name, each in TIERS.items() if each[0] == told and isinstance(each[1][0], Mark)
    ]
    if not marking:
        return 0
    terms = of(table, marking[0])
    return next(each for each in count() if drawn(terms, told, question(told, each))[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("o")
    for secret, (private, public) in {"audit": new_signing_pair(), "vault": new_pair()}.items():
        (made / f"{secret}.pem").write_bytes(private)
        (made / f"{secret}.pub").write_bytes(public)
    return made


@pytest.fixture(scope="module")
def table(folder: Path) -> PolicyTable:
    return compile_table(load(write_policy(folder, "unix:///nowhere", change)))


@pytest.fixture(scope="module")
def running_gateway(scripted: Upstream, folder: Path, table: PolicyTable) -> Iterator[LiveGateway]:
    with live_gateway(folder, scripted.port, policy=change) as gateway:
        yield gateway


@pytest.mark.parametrize("told", get_args(Told))
def test_every_order_that_a_policy_allows_answers_as_its_chain_does(
    gateway: LiveGateway, upstream: Upstream, table: PolicyTable, told: Told
) -> None:
    upstream.script = answering(document(told, SAID[told]))
    asked, wrong = question(told, seed(table, told)), {}
    tenants = {name: chain for name, (how, chain) in TIERS.items() if how == told}
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        for tenant, chain in tenants.items():
            answered = client.post(PATHS[told], content=asked, headers=headers(tenant))
            expected = wanted(of(table, tenant), told, chain, asked)
            if (answered.status_code, answered.content) != (200, expected):
                wrong[written(chain)] = answered.content, expected
            if isinstance(chain[0], Mark):
                assert likeliest(answered.content) == runner_up(), written(chain)
    assert wrong == {}


def likeliest(content: bytes) -> str:
    """The class of the first answer; what is hidden is none."""
    classes = [each for each in orjson.loads(content)[0] if each["label"] != "other"]
    return str(max(classes, key=lambda each: each["score"])["label"])


def runner_up() -> str:
    """In what the model said of the input that is marked."""
    [first, *_] = SAID["probabilities"]
    assert isinstance(first, Probabilities)
    return CLASSES[int(np.argsort(first.values)[-2])]
