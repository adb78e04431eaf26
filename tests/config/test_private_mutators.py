"""What hides something in a policy: nothing that tells it passes beside it."""

from pathlib import Path

import pytest

from extproc.config.private_mutators import _telling
from extproc.dialects import Votes
from extproc.dialects.kinds import UNCOUNTED
from extproc.errors import ConfigError
from extproc.mutators import NoisyMax
from extproc.prediction import KINDS, Kind
from extproc.route import Route
from tests.config.example import changed, compiled


@pytest.mark.parametrize(
    ("kind", "mutator", "told"),
    [
        (
            "score",
            "{kind: discrete_laplace, epsilon: 1, low: 0, high: 1, step: 0.3}",
            "cannot be so; high lies a whole number of steps above low, 1 to 10000",
        ),
        (
            "embedding",
            "{kind: gaussian, clip: 1, sigma: 1, step: 5}",
            "cannot be so; step is at most twice sigma, and at least 1 / 1000 of it",
        ),
        (
            "embedding",
            "{kind: gaussian, clip: 1, sigma: 5, step: 3}",
            "cannot be so; step is at most clip, and at least 1 / 1048576 of it",
        ),
        (
            "votes",
            "{kind: noisy_max, noise: gaussian, scale: 600}",
            ".scale: out of range; write a number from 0.5 to 500",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_what_would(
    tmp_path: Path, kind: Kind, mutator: str, told: str
) -> None:
    text = changed(("full: {probabilities: pass,", f"full: {{{kind}: [{mutator}],"))
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    place = f"{tmp_path}/policy.yaml:12: fidelities.full.{kind}[0]"
    assert str(caught.value) == place + (told if told[0] == "." else f": {told}")


PRIVATE: dict[Kind, str] = {
    "votes": "{kind: noisy_max, noise: gaussian, scale: 40}",
    "probabilities": "{kind: randomized_response, epsilon: 4}",
    "score": "{kind: discrete_laplace, epsilon: 4, low: 0, high: 1, step: 0.1}",
    "embedding": "{kind: gaussian, clip: 1, sigma: 2, step: 0.01}",
}
TOLD = [
    ("probabilities", "label", True),
    ("probabilities", "tensor", True),
    ("probabilities", "score", False),
    ("score", "tensor", True),
    ("score", "label", False),
    ("embedding", "tensor", True),
    ("embedding", "label", False),
]
KSERVE = "{kind: kserve_v2, outputs: {probs: probabilities}}"


def beside(kind: Kind, other: Kind, dialect: str) -> str:
    tier = f"full: {{{kind}: [{PRIVATE[kind]}], {other}: pass}}"
    return changed(("full: {probabilities: pass, text: pass}", tier), (KSERVE, dialect))


@pytest.mark.parametrize(("kind", "other", "tells"), TOLD)
def test_what_tells_what_is_hidden_does_not_pass_beside_it(
    tmp_path: Path, kind: Kind, other: Kind, tells: bool
) -> None:
    """On a route that can answer both; on others nothing is told by it."""
    if other != "tensor":  # which any answer of this dialect can hold
        compiled(tmp_path, beside(kind, other, f"{{kind: kserve_v2, outputs: {{a: {kind}}}}}"))
    outputs = f"b: {other}" if other != "tensor" else ""
    text = beside(kind, other, f"{{kind: kserve_v2, outputs: {{a: {kind}, {outputs}}}}}")
    if not tells:
        compiled(tmp_path, text)
        return
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    name = PRIVATE[kind].split(",")[0].removeprefix("{kind: ")
    assert str(caught.value).endswith(
        f"fidelities.full.{kind}[0]: POST /v2/models/{{model}}/infer answers {other} as well, "
        f"which tells what {name} hides; leave {other} out, or remove the route"
    )


CHOSEN = [
    ("score", "rerank"),
    ("score", "tei_rerank"),
    ("score", "openai_responses"),
    ("score", "{kind: hf_pipeline, task: multi_label_classification, model: m}"),
    ("score", "{kind: openai_vector_search, model: m}"),
    ("embedding", "tei_embed_sparse"),
    ("probabilities", "torchserve"),
    ("probabilities", "tei_predict"),
]


@pytest.mark.parametrize(("kind", "dialect"), CHOSEN)
def test_what_is_sorted_or_chosen_by_what_is_hidden_tells_it(
    tmp_path: Path, kind: Kind, dialect: str
) -> None:
    """Best documents first, the components of a vector that are not 0, the five likeliest names."""
    tier = f"full: {{{kind}: [{PRIVATE[kind]}]}}"
    text = changed(("full: {probabilities: pass, text: pass}", tier), (KSERVE, dialect))
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    name = PRIVATE[kind].split(",")[0].removeprefix("{kind: ")
    assert str(caught.value).endswith(
        f"fidelities.full.{kind}[0]: which of them POST /v2/models/{{model}}/infer answers, or in "
        f"what order, tells what {name} hides; leave {kind} out, or remove the route"
    )


def test_a_threshold_that_no_vote_reaches_is_refused(tmp_path: Path) -> None:
    chain = "[{kind: noisy_max, noise: gaussian, scale: 40, threshold: {votes: VOTES, sigma: 20}}]"
    votes = "{kind: kserve_v2, outputs: {v: votes}, teachers: 250}"
    text = changed(("{probabilities: pass, text: pass}", f"{{votes: {chain}}}"), (KSERVE, votes))
    compiled(tmp_path, text.replace("VOTES", "250"))
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text.replace("VOTES", "251"))
    assert str(caught.value).endswith(
        "fidelities.full.votes[0].threshold.votes: no class gets so many: POST "
        "/v2/models/{model}/infer has 250 members; write at most 250"
    )


def test_whatever_a_model_says_of_an_input_tells_of_its_votes() -> None:
    route = Route("POST", "/votes", Votes())
    assert {*_telling(NoisyMax(noise="gumbel", scale=4.0), route), *UNCOUNTED} == set(KINDS)


NOISY = f"full: {{score: [{PRIVATE['score']}], text: pass}}"


def test_a_flag_that_is_set_by_a_score_does_not_pass_beside_it(tmp_path: Path) -> None:
    text = changed(
        ("full: {probabilities: pass, text: pass}", NOISY.replace("text", "label")),
        ("dialect: openai_embeddings", "dialect: openai_moderations"),
    )
    with pytest.raises(ConfigError, match="answers label as well, which tells what discrete_lapl"):
        compiled(tmp_path, text)
    compiled(tmp_path, text.replace("label: pass", "text: pass"))
