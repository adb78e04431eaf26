"""How large a route says its answers are, and what a budget in bits needs of that."""

from pathlib import Path

import pytest

from extproc.config.sizes import check_counted
from extproc.errors import ConfigError
from extproc.information import Sizes
from tests.config.example import changed, compiled, loaded

EMBEDDINGS, CHAT = "dialect: openai_embeddings", "dialect: openai_chat"
FULL = "full: {probabilities: pass, text: pass}"


def sized(sizes: str, dialect: str = EMBEDDINGS, *changes: tuple[str, str]) -> str:
    return changed((EMBEDDINGS, f"{dialect}, sizes: {sizes}"), *changes)


def test_a_route_declares_nothing_unless_it_says_so(tmp_path: Path) -> None:
    assert {route.sizes for route in compiled(tmp_path).routes} == {Sizes()}


def test_what_it_declares_comes_to_the_route(tmp_path: Path) -> None:
    assert compiled(tmp_path, sized("{embedding: 384}")).routes[0].sizes == Sizes(embedding=384)
    every = sized("{score: 13, label: 5, tokens: 8192}", CHAT)
    assert compiled(tmp_path, every).routes[0].sizes == Sizes(score=13, label=5, tokens=8192)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (sized("{probabilities: 9}"), "sizes.probabilities: no answer of this dialect has"),
        (sized("{probabilities: 9}"), "such a size; declare embedding"),
        (sized("{embedding: 9}", CHAT), "such a size; declare score or label or tokens"),
        (sized("{embedding: 0}"), "sizes.embedding"),
        (sized("{embedding: 100000000}"), "sizes.embedding"),
        (sized("{vectors: 3}"), "sizes"),
        (
            changed(("dialect: status", "dialect: status, sizes: {label: 3}")),
            "sizes.label: no answer of this dialect has such a size; remove it",
        ),
    ],
)
def test_a_size_that_no_answer_could_have_is_an_error(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=r"policy\.yaml:\d+: ") as error:
        compiled(tmp_path, text)
    assert message in str(error.value)


def _check(folder: Path, text: str, tenant: str = "beta", path: str = "/v1/embeddings") -> None:
    table, document = compiled(folder, text), loaded(folder, text).document
    policy = table.policies[tenant, f"POST {path}"]
    here = ("policies", "trial")
    check_counted(document, here, policy.route, policy.fidelity, policy.terms.entitlement)


@pytest.mark.parametrize(
    "text",
    [
        changed((FULL, "full: {embedding: pass}")),
        changed((EMBEDDINGS, CHAT)),
        changed((EMBEDDINGS, "dialect: hf_pipeline"), (FULL, "full: {label: pass}")),
    ],
)
def test_bits_that_have_no_bound_cannot_be_a_budget(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.yaml:\d+: policies\.trial: ") as error:
        _check(tmp_path, text)
    assert "bits of POST /v1/embeddings have no bound at full; write on that route sizes" in str(
        error.value
    )


@pytest.mark.parametrize(
    "text",
    [
        changed(),
        sized("{embedding: 384}", EMBEDDINGS, (FULL, "full: {embedding: pass}")),
        sized("{tokens: 8192}", CHAT),
        sized("{label: 77}", "dialect: hf_pipeline", (FULL, "full: {label: pass}")),
        changed((EMBEDDINGS, CHAT), ("fidelity: full}", "fidelity: full, allow: {max_tokens: 9}}")),
    ],
)
def test_bits_that_have_one_can(tmp_path: Path, text: str) -> None:
    _check(tmp_path, text)
