from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.mutators import Round, TopK
from extproc.prediction import KINDS
from tests.config.example import changed, compiled

EDITED = ("probabilities", "score", "logprobs", "embedding")
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
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, changed(("  full:", f"{tier}  full:")))
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:12: fidelities.t.{kind}[0]: label_only does not work on {kind}; "
        "write pass, or a list of drop"
    )


def test_a_mutator_is_given_only_kinds_it_understands(tmp_path: Path) -> None:
    text = changed(("{kind: round, digits: 2}", "\n      {kind: quantize, bits: 8}"))
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:15: fidelities.standard.probabilities[1]: "
        "quantize does not work on probabilities; "
        "write pass, or a list of top_k, round, bins, codebook, label_only, smooth, drop"
    )
