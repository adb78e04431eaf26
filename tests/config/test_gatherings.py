"""What may compare the vectors of an answer: the last of a chain, where there is one an input."""

from pathlib import Path

import pytest

from extproc.errors import ConfigError
from extproc.mutators import Quantize, Similarity
from tests.config.example import changed, compiled

COMPARED = "embedding: [{kind: quantize, bits: 8}, {kind: similarity, digits: 2}]"
TIER = ("full: {probabilities: pass,", f"full: {{{COMPARED},")
ROUTES = "routes:\n"
UNKNOWN = "answers embeddings that are not known to be one an input"
TWO_VECTORS = (
    "{kind: generic, request: {t: pass}, inputs: t, "
    "answer: {'v[].a[]': embedding, 'v[].b[]': embedding}}"
)
REMEDY = "remove similarity, or remove the route or what it declares an embedding"


def with_route(path: str, dialect: str) -> str:
    return changed(TIER, (ROUTES, f'{ROUTES}  - {{path: "{path}", dialect: {dialect}}}\n'))


def test_vectors_may_be_compared_last(tmp_path: Path) -> None:
    policy = compiled(tmp_path, changed(TIER)).policies["beta", "POST /v1/embeddings"]
    assert policy.fidelity.mutators["embedding"] == (Quantize(bits=8), Similarity(digits=2))
    assert policy.most_inputs == Similarity.MOST


def test_only_where_vectors_are_answered_are_inputs_bounded(tmp_path: Path) -> None:
    policies = compiled(tmp_path, changed(TIER)).policies
    assert policies["beta", "POST /v2/models/{model}/infer"].most_inputs is None
    assert policies["acme", "POST /v1/embeddings"].most_inputs is None


@pytest.mark.parametrize(
    "chain",
    [
        "[{kind: similarity, digits: 2}, {kind: quantize, bits: 8}]",
        "[{kind: similarity, digits: 2}, {kind: similarity, digits: 2}]",
        "[{kind: similarity, digits: 2}, {kind: drop}]",
    ],
)
def test_nothing_stands_behind_a_comparison(tmp_path: Path, chain: str) -> None:
    text = changed(("full: {probabilities: pass,", f"full: {{embedding: {chain},"))
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:12: fidelities.full.embedding[0]: similarity answers all inputs "
        "at once, and stands before others; move it to the end, once"
    )


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/embed_all", "{kind: tei_embed_all, holds: embedding}"),
        ("/embed_sparse", "tei_embed_sparse"),
        ("/invocations", "sagemaker"),
        ("/predictions/{model}", "{kind: torchserve, output: embedding}"),
        (
            "/v1/models/{model}:predict",
            "{kind: tensorflow_rest, outputs: {a: embedding, b: embedding}}",
        ),
        ("/g", "{kind: generic, request: {t: pass}, answer: {'v[]': embedding}}"),
        ("/g", "{kind: generic, request: {t: pass}, answer: {'v[][]': embedding}}"),
        ("/g", "{kind: generic, request: {t: pass}, inputs: t, answer: {'v[][][]': embedding}}"),
        ("/g", TWO_VECTORS),
    ],
)
def test_a_route_whose_vectors_are_not_one_an_input_is_refused(
    tmp_path: Path, path: str, dialect: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, with_route(path, dialect))
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:13: fidelities.full.embedding[1]: POST {path} {UNKNOWN}; {REMEDY}"
    )
    compiled(tmp_path, with_route(path, dialect).replace(COMPARED, "text: pass", 1).replace(
        "text: pass, text: pass", "text: pass"))  # fmt: skip


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/embed_all", "tei_embed_all"),
        ("/embed", "tei_embed"),
        ("/v2/embed", "cohere_embed"),
        ("/api/embed", "ollama_embed"),
        ("/v1beta/models/{model}:batchEmbedContents", "gemini_embed"),
        ("/pooling", "{kind: vllm_pooling, holds: embedding}"),
        ("/hf", "{kind: hf_pipeline, task: feature_extraction, holds: embedding}"),
        ("/v2/models/{model}/versions/1/infer", "{kind: kserve_v2, outputs: {v: embedding}}"),
        (
            "/inference.GRPCInferenceService/ModelInfer",
            "{kind: kserve_v2_grpc, outputs: {v: embedding}}",
        ),
        (
            "/tensorflow.serving.PredictionService/Predict",
            "{kind: tensorflow_grpc, outputs: {v: embedding}}",
        ),
        ("/v1/models/{model}:predict", "{kind: tensorflow_rest, output: embedding}"),
        ("/v1/models/{model}:predict", "{kind: tensorflow_rest, outputs: {v: embedding}}"),
        ("/invocations", "{kind: mlflow, output: embedding}"),
        ("/api/v1.0/predictions", "{kind: seldon_v1, output: embedding}"),
        ("/g", "{kind: generic, request: {t: pass}, inputs: t, answer: {'v[][]': embedding}}"),
        ("/g", "{kind: generic, request: {t: pass}, inputs: t, answer: {'v[].e[]': embedding}}"),
    ],
)
def test_a_route_with_a_vector_for_each_input_compares_them(
    tmp_path: Path, path: str, dialect: str
) -> None:
    policies = compiled(tmp_path, with_route(path, dialect)).policies
    bound = policies["beta", f"POST {path}"].most_inputs
    assert bound == (None if dialect == "tei_embed_all" else Similarity.MOST)


def test_a_tier_that_nobody_has_is_not_checked(tmp_path: Path) -> None:
    text = with_route("/invocations", "sagemaker").replace("fidelity: full", "fidelity: standard")
    policies = compiled(tmp_path, text).policies
    assert "embedding" not in policies["beta", "POST /invocations"].edits


def test_a_policy_names_a_tier_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no fidelity 'none'"):
        compiled(tmp_path, changed(("fidelity: full", "fidelity: none")))


ROTATED = ("full: {probabilities: pass,", "full: {embedding: [{kind: rotate}],")


def test_answers_with_rotated_vectors_name_their_space(tmp_path: Path) -> None:
    policies = compiled(tmp_path, changed(ROTATED)).policies
    embeddings = policies["beta", "POST /v1/embeddings"]
    assert embeddings.spaced
    assert not policies["beta", "POST /v2/models/{model}/infer"].spaced
    assert not policies["acme", "POST /v1/embeddings"].spaced
    name = embeddings.space("m")
    assert name == compiled(tmp_path, changed(ROTATED)).policies[
        "beta", "POST /v1/embeddings"
    ].space("m")
    epoch = changed(ROTATED, ('hmac: "env:HMAC"', 'hmac: "env:HMAC", epoch: 2'))
    others = {
        embeddings.space("n"),
        compiled(tmp_path, epoch).policies["beta", "POST /v1/embeddings"].space("m"),
    }
    assert len({name, *others}) == 3
