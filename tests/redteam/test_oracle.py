"""A victim that answers until the budget is spent."""

from dataclasses import dataclass

import numpy as np
import orjson
import pytest

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget, BudgetSpent, Classifier, Embedder
from extproc.redteam.request import Request
from tests.redteam import planted
from tests.redteam.planted_servers import VICTIM, honest, serving


def test_more_than_is_left_is_not_taken_in_part() -> None:
    budget = Budget(5)
    with pytest.raises(BudgetSpent):
        budget.take(6)
    budget.take(5)
    assert budget.left == 0


async def test_a_classifier_is_asked_in_batches_until_the_budget_is_spent() -> None:
    async with serving(honest) as url, Client(url) as client:
        classifier = Classifier(client, VICTIM.adapter, 3, Budget(25))
        answers = await classifier.ask(VICTIM.task[:25], batch=10)
        with pytest.raises(BudgetSpent):
            await classifier.ask(VICTIM.task[:1])
    assert answers.scores is not None
    assert answers.scores == pytest.approx(honest(VICTIM.task[:25], "planted"))
    assert (client.meter.requests, client.meter.queries) == (3, 25)
    assert [form.count for form in client.meter.forms] == [10, 10, 5]


async def test_what_is_refused_counts_against_the_budget() -> None:
    async with serving(honest, "xk-other") as url, Client(url, ("xk-mine",)) as client:
        classifier = Classifier(client, VICTIM.adapter, 3, Budget(10))
        answers = await classifier.ask(VICTIM.task[:10])
    assert not answers.served.any()
    assert (classifier.budget.left, client.meter.forms) == (0, [])


@dataclass(frozen=True, slots=True)
class _Narrow(OpenAiEmbeddings):
    most: int = 2


async def test_requests_are_no_larger_than_the_api_takes() -> None:
    scene = planted.scene(planted.victim(10), (5,))
    embedder = Embedder(scene.client, _Narrow("private", planted.HEAD), scene.budget)
    vectors = await embedder.ask(planted.texts(5))
    assert vectors.values.shape == (5, planted.HEAD)
    assert scene.client.meter.requests == 3


async def test_a_vector_that_lacks_numbers_is_filled_up_with_nan() -> None:
    def answer(request: Request) -> tuple[int, object]:
        width = 4 if b"first" in request.body else 2
        return 200, {"data": [{"embedding": [1.0] * width}]}

    client = planted.Planted(answer, "mixed")
    embedder = Embedder(client, OpenAiEmbeddings("m", 4), Budget(2))
    vectors = await embedder.ask(["first", "second"], batch=1)
    assert np.isnan(vectors.values).tolist() == [[False] * 4, [False, False, True, True]]
    assert vectors.served.all()


async def test_an_embedder_has_a_budget_too_and_asks_nothing_beyond_it() -> None:
    scene = planted.scene(planted.victim(10), (5,))
    with pytest.raises(BudgetSpent):
        await scene.embedder().ask(planted.texts(6))
    assert (scene.budget.left, scene.client.meter.requests) == (5, 0)
    await scene.embedder().ask(planted.texts(5))
    assert scene.budget.left == 0


async def test_vectors_stand_in_the_order_of_the_texts_as_wide_as_the_widest_that_was_served() -> (
    None
):
    def answer(request: Request) -> tuple[int, object]:
        asked = orjson.loads(request.body)["input"]
        if "refused" in asked:
            return 429, {}
        return 200, {"data": [{"embedding": [float(text)] * len(asked)} for text in asked]}

    client = planted.Planted(answer, "mixed")
    embedder = Embedder(client, OpenAiEmbeddings("m", 9), Budget(5))
    vectors = await embedder.ask(["1", "2", "refused", "refused", "5"], batch=2)
    assert vectors.served.tolist() == [True, True, False, False, True]
    assert vectors.values[:2].tolist() == [[1, 1], [2, 2]]
    assert np.isnan(vectors.values).tolist()[2:] == [[True, True], [True, True], [False, True]]
    assert [form.count for form in client.meter.forms] == [2, 1]
