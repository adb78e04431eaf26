from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.mutators import Round, TopK
from extproc.prediction import KINDS
from tests.config.example import changed, compiled

EDITED = ("probabilities", "votes", "score", "logprobs", "embedding")
"""The kinds that mutators understand."""


def test_a_tier_holds_what_each_kind_passes_through(tmp_path: Path) -> None:
    table = compiled(tmp_path)
    fidelity = table.policies["acme", "POST /v1/embeddings"].fidelity
    assert fidelity.name == "standard"
    assert fidelity.mutators == {"probabilities": (TopK(k=3), Round(digits=2)), "text": ()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_dropped_is_left_out(tmp_path: Path, kind: str) -> None:
    """Else what no mutator reads would pass: for it a tier only says whether it is named."""
    text = changed(
        ("text: pass\n", f"text: pass\n    {kind if kind != 'text' else 'label'}: pass\n")
    )
    if kind == "probabilities":
        text = changed(("{kind: round, digits: 2}", "{kind: drop}"))
    elif kind == "text":
        text = changed(("text: pass\n", "text: [{kind: drop}]\n"))
    else:
        text = changed(("text: pass\n", f"text: pass\n    {kind}: [{{kind: drop}}]\n"))
    policy = compiled(tmp_path, text).policies["acme", "POST /v1/embeddings"]
    assert kind not in policy.fidelity.mutators
    assert kind not in policy.edits


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in EDITED])
def test_what_no_mutator_reads_passes_or_is_dropped(tmp_path: Path, kind: str) -> None:
    tier = f"  t: {{{kind}: [{{kind: label_only}}]}}\n"
    marks = ", green_list, vllm_processor, canary"
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, changed(("  full:", f"{tier}  full:")))
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:12: fidelities.t.{kind}[0]: label_only does not work on {kind}; "
        f"write pass, or a list of drop{marks if kind == 'text' else ''}"
    )


def test_a_mutator_is_given_only_kinds_it_understands(tmp_path: Path) -> None:
    text = changed(("{kind: round, digits: 2}", "\n      {kind: quantize, bits: 8}"))
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:15: fidelities.standard.probabilities[1]: "
        "quantize does not work on probabilities; "
        "write pass, or a list of "
        "top_k, round, bins, codebook, label_only, randomized_response, mark, smooth, drop"
    )


TELLING = "{kind: top_k, k: 3, other: true}"
PLACE = "fidelities.standard.probabilities[0].other"


def telling(*changes: tuple[str, str]) -> str:
    """A file whose tier tells what is hidden, on a route that has a place for it."""
    return changed(
        ("{kind: top_k, k: 3}", TELLING),
        ("    text: pass\npolicies", "    label: pass\n    text: pass\npolicies"),
        ("dialect: {kind: kserve_v2, outputs: {probs: probabilities}}", "dialect: torchserve"),
        *changes,
    )


def test_a_tier_may_tell_what_its_classes_hide(tmp_path: Path) -> None:
    table = compiled(tmp_path, telling())
    fidelity = table.policies["acme", "POST /v1/embeddings"].fidelity
    assert fidelity.mutators["probabilities"] == (TopK(k=3, other=True), Round(digits=2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [("dialect: torchserve", "dialect: {kind: torchserve, output: probabilities}")],
            (
                f"14: {PLACE}: POST /v2/models/{{model}}/infer answers probabilities without "
                "names, where other has no place; remove it, or the route"
            ),
        ),
        (
            [("dialect: openai_embeddings", "dialect: vllm_classify")],
            (
                f"14: {PLACE}: POST /v1/embeddings answers probabilities without names, "
                "where other has no place; remove it, or the route"
            ),
        ),
        (
            [("    label: pass\n", "")],
            (
                f"14: {PLACE}: other is the name of a class, and no names pass; "
                "name label in this fidelity"
            ),
        ),
        (
            [("{kind: round, digits: 2}", "{kind: bins, count: 3}")],
            f"14: {PLACE}: bins behind it knows no other; put it before, or remove one",
        ),
        (
            [("{kind: round, digits: 2}", "{kind: round, digits: 2}, {kind: top_k, k: 1}")],
            f"14: {PLACE}: top_k behind it knows no other; put it before, or remove one",
        ),
        (
            [("    text: pass\npolicies", f"    logprobs: [{TELLING}]\n    text: pass\npolicies")],
            "16: fidelities.standard.logprobs[0].other: other does not work on logprobs; remove it",
        ),
    ],
)
def test_what_is_hidden_is_told_where_it_can_be_or_nothing_loads(
    tmp_path: Path, changes: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, telling(*changes))
    assert str(caught.value) == f"{tmp_path}/policy.yaml:{message}"


WITHOUT_NAMES = ("dialect: openai_embeddings", "dialect: vllm_classify")
NAMED = 'fidelity: standard\n    routes: ["POST /v2/models/{model}/infer"]\n'
ON_NAMED = ("fidelity: standard\n", NAMED)
FEW = "{name: few, count: requests, per: tenant, max: 1, period: lifetime"
SPENT = f"budgets: [{FEW}, exhausted: {{fidelity: standard}}}}]"
LOWERED = ("fidelity: full}", f"fidelity: full, {SPENT}}}")


def test_what_is_hidden_is_told_whatever_routes_the_tier_is_not_for(tmp_path: Path) -> None:
    table = compiled(tmp_path, telling(WITHOUT_NAMES, ON_NAMED))
    [(_, route)] = [each for each in table.policies if each[0] == "acme"]
    assert table.policies["acme", route].fidelity.mutators["probabilities"][0] == TopK(3, True)


def test_nor_is_it_where_a_budget_lowers_to_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="POST /v1/embeddings answers probabilities without"):
        compiled(tmp_path, telling(WITHOUT_NAMES, ON_NAMED, LOWERED))


@pytest.mark.parametrize(
    "chain", ["{kind: codebook, bits: 20}, " + TELLING, TELLING, TELLING + ", {kind: drop}"]
)
def test_before_it_may_stand_what_knows_classes_alone(tmp_path: Path, chain: str) -> None:
    text = telling((TELLING + ", {kind: round, digits: 2}", chain))
    assert compiled(tmp_path, text).policies
