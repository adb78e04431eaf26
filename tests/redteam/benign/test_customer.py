"""What customers meet is counted; each asks as its kind does."""

from collections.abc import Callable

import numpy as np
import pytest
from aiohttp import web

from extproc.redteam.benign import batch, chat, evaluation, probe, retries
from extproc.redteam.benign.customer import Customer, Habit, Met
from extproc.redteam.client import Client
from extproc.redteam.form import LEAST, Form, Grain
from extproc.redteam.request import Reply
from tests.redteam.faulty import answer, bearer, refusal, rows_asked, serving, sure, victim


async def met(
    habit: Habit,
    refused: Callable[[int], bool] = lambda _: False,
    heard: list[tuple[str, bytes]] | None = None,
) -> Met:
    """What a customer meets where some requests, by their number, are refused.

    ``heard`` are then the keys and bodies of all of them.
    """
    count = 0

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal count
        count += 1
        if heard is not None:
            heard.append((bearer(request), await request.read()))
        if refused(count):
            return refusal(429, retry_after="0")
        if "chat" in request.path:
            return web.Response(body=b"{}")
        return answer(sure(await rows_asked(request)))

    async with serving(handle) as url, Client(url, ["other", "k"]) as client:
        customer = Customer(client, 1, victim(), np.random.default_rng(1))
        await habit(customer)
        return customer.met


@pytest.mark.parametrize(
    ("habit", "requests"),
    [
        (batch.run, batch.BATCHES),
        (probe.run, probe.PROBES),
        (chat.run, chat.BURSTS * chat.AT_ONCE),
        (retries.run, retries.REQUESTS),
    ],
)
async def test_each_asks_as_often_as_its_kind_does(habit: Habit, requests: int) -> None:
    found = await met(habit)
    assert (found.asked, found.refused, len(found.seconds)) == (requests, 0, requests)
    assert found.refused_share == found.lowered_share == 0


async def test_an_evaluation_asks_about_as_many_of_each_class() -> None:
    truth = victim().secret.truth
    places = list(evaluation.balanced(truth, np.random.default_rng(1)))
    assert (await met(evaluation.run)).asked == len(places) > 3
    for each in places:
        assert np.bincount(truth[each]).tolist() == [evaluation.OF_EACH] * 2


async def test_what_is_refused_is_counted() -> None:
    found = await met(probe.run, lambda count: count % 4 == 0)
    assert found.refused_share == 0.25


async def test_what_was_refused_has_no_form() -> None:
    found = await met(batch.run, lambda count: count % 4 == 0)
    assert (len(found.forms), found.refused, found.lowered_share) == (15, 5, 0)


def test_an_answer_takes_until_its_last_byte() -> None:
    client = Client("http://127.0.0.1")
    customer = Customer(client, 0, victim(), np.random.default_rng(1))
    customer.note(Reply(200, (), b"", 0.125, 0.75))
    assert customer.met.seconds == [0.75]


def test_what_comes_in_a_lower_form_is_counted_by_its_inputs() -> None:
    forms = [Form(Grain.ROUNDED, 0, 30), Form(Grain.LABEL, 0, 10), Form(Grain.LABEL, 0, 1)]
    assert Met(forms=forms).lowered_share == 0.25, "one input alone may be so by chance"
    assert Met(forms=[*forms, Form(Grain.LABEL, 0, LEAST)]).lowered_share == 0.4
    assert Met().lowered_share == Met().refused_share == 0
