"""What the red team knows of its victims is so: asked of the demo's model server itself."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import model_server
from extproc.redteam.oracle import Budget, Classifier, Embedder
from extproc.redteam.victims import digits
from extproc.redteam.victims.digits_private import ODD
from extproc.redteam.victims.roster import VICTIMS
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim, Secret

TRAINED = ("digits-plain", "digits-dp-8", "digits-dp-3")
ODDLY = (*TRAINED, "digits-teachers")
CLASSIFIERS = ("digits", "digits-mlp", "digits-forest", *ODDLY, "cancer", "wine", "magika")
EMBEDDING_MODELS = ("minilm", "minilm-private")

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    async with model_server((*CLASSIFIERS, *EMBEDDING_MODELS)) as url, Client(url) as client:
        yield client


def _known(name: str, client: Client) -> tuple[ClassifierVictim, Classifier]:
    victim = VICTIMS[name]()
    assert isinstance(victim, ClassifierVictim)
    return victim, Classifier(client, victim.adapter, victim.classes, Budget(10_000))


async def _right(oracle: Classifier, rows: Floats, truth: Ints) -> float:
    return float(np.mean((await oracle.ask(rows)).labels == truth))


def _held(name: str, secret: Secret) -> tuple[Floats, Ints]:
    """All that the model was not trained on, with labels that are right."""
    if name in ODDLY:
        _, held, _, truth = digits.split()
        return held, truth
    truth = np.concatenate([secret.truth, secret.other_truth])
    return np.concatenate([secret.test, secret.others]), truth


@pytest.mark.parametrize("name", CLASSIFIERS)
async def test_a_classifier_scores_all_kinds_of_inputs(name: str, client: Client) -> None:
    victim, oracle = _known(name, client)
    uniform = np.random.default_rng(0).uniform(victim.low, victim.high, (9, victim.dimensions))
    answers = await oracle.ask(np.concatenate([victim.task[-9:], victim.natural[:9], uniform]))
    assert answers.served.all()
    assert answers.scores is not None
    assert answers.scores.shape == (27, victim.classes)
    np.testing.assert_allclose(answers.scores.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_array_equal(answers.labels, answers.scores.argmax(axis=1))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        *(("digits", 96), ("digits-mlp", 97), ("digits-forest", 97), ("cancer", 94), ("wine", 97)),
        *(("digits-plain", 93), ("digits-dp-8", 93), ("digits-dp-3", 91)),
        ("digits-teachers", 93),
    ],
)
async def test_it_tells_as_many_rightly_as_it_says(name: str, least: int, client: Client) -> None:
    victim, oracle = _known(name, client)
    right = await _right(oracle, *_held(name, victim.secret))
    assert 100 * right >= least
    said = int(victim.about.split(" %")[0].split()[-1])
    assert said == round(100 * right)


async def test_the_file_classifier_tells_files_rightly(client: Client) -> None:
    victim, oracle = _known("magika", client)
    secret = victim.secret
    assert await _right(oracle, secret.test[:54], secret.truth[:54]) > 0.95


@pytest.mark.parametrize("name", ["digits-mlp", "digits-forest"])
async def test_members_are_told_better_than_others(name: str, client: Client) -> None:
    victim, oracle = _known(name, client)
    secret = victim.secret
    members = await _right(oracle, secret.members, secret.member_truth)
    assert members == 1 > await _right(oracle, secret.others, secret.other_truth)


async def test_the_odd_among_members_are_known_by_heart_unless_training_was_private(
    client: Client,
) -> None:
    told = {}
    for name in TRAINED:
        victim, oracle = _known(name, client)
        secret = victim.secret
        odd = slice(0, ODD)
        told[name] = await _right(oracle, secret.members[odd], secret.member_truth[odd])
    assert told["digits-plain"] == 1
    assert max(told["digits-dp-8"], told["digits-dp-3"]) < 0.15


@pytest.mark.parametrize("name", CLASSIFIERS)
async def test_inputs_of_another_form_are_refused(name: str, client: Client) -> None:
    victim, oracle = _known(name, client)
    wide = np.zeros((1, victim.dimensions + 1))
    huge = np.full((1, victim.dimensions), 1e300)
    for garbage in (wide, huge):
        assert not (await oracle.ask(garbage)).served.any()


@pytest.mark.parametrize("name", EMBEDDING_MODELS)
async def test_an_embedding_model_has_the_dimensions_it_says(name: str, client: Client) -> None:
    victim = VICTIMS[name]()
    assert isinstance(victim, EmbeddingVictim)
    asked = Embedder(client, victim.adapter, Budget(40))
    vectors = await asked.ask(victim.test[:20])
    assert vectors.served.all()
    assert vectors.values.shape == (20, victim.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors.values, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal((await asked.ask(victim.test[:20])).values, vectors.values)
