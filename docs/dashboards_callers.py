"""Who asks while docs/dashboards.py measures, and what goes wrong meanwhile.

Two customers ask all the time, of both namespaces.  One after the other come a stranger who tries
keys, a customer on trial who uses up its budgets, a thief, a Redis that does not answer, a policy
file that cannot be put in force and one that can.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle

import httpx

from docs.dashboards_stack import KEYS, Stack, rewrite
from tests.detectors.questions import by_topic, questions

LASTS = 200.0
"""Seconds, in all."""
PIXELS = [0.0, 4.0, 9.0, 15.0] * 16


@dataclass(frozen=True, slots=True)
class Caller:
    http: httpx.AsyncClient
    urls: Iterator[str]
    """Of the replicas, in turn."""
    key: str

    async def embed(self, text: object, **more: object) -> httpx.Response:
        return await self._post("/v1/embeddings", {"model": "minilm", "input": text, **more})

    async def classify(self, model: str = "digits", *outputs: str) -> httpx.Response:
        image = {"name": "image", "shape": [1, 64], "datatype": "FP32", "data": PIXELS}
        asked = {"outputs": [{"name": each} for each in outputs]} if outputs else {}
        return await self._post(f"/v2/models/{model}/infer", {"inputs": [image], **asked})

    async def _post(self, path: str, body: object) -> httpx.Response:
        fields = {"authorization": f"Bearer {self.key}"}
        return await self.http.post(next(self.urls) + path, json=body, headers=fields)


async def traffic(running: Stack) -> None:
    """All of it."""
    search = [f"http://{running.pods[name].run.address}" for name in ("search-0", "search-1")]
    triage = [f"http://{running.pods['triage-0'].run.address}"]
    async with _callers() as make, asyncio.TaskGroup() as tasks:
        for seed, name in enumerate(("acme", "globex")):
            tasks.create_task(_customer(make(search, KEYS[name]), seed, LASTS, 0.12))
            tasks.create_task(_customer(make(triage, KEYS[name]), seed, LASTS, 0.3))
        tasks.create_task(_stranger(make(search, "xk-guessed"), begins=25, lasts=35))
        tasks.create_task(_stranger(make(triage, "xk-guessed"), begins=25, lasts=35))
        tasks.create_task(_on_trial(make(search, KEYS["hooli"]), begins=15))
        tasks.create_task(_thief(make(search, KEYS["copycat"]), begins=70))
        tasks.create_task(_thief(make(triage, KEYS["copycat"]), begins=80))
        tasks.create_task(_mishaps(running))


@asynccontextmanager
async def _callers() -> AsyncIterator[object]:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        yield lambda urls, key: Caller(http, cycle(urls), key)


async def _customer(caller: Caller, seed: int, lasts: float, pause: float) -> None:
    """Asks about one thing, again and again."""
    own = [text for topic, text in by_topic(700, 5) if topic == seed + 3]
    for text in _for(lasts, own):
        await caller.embed(text)
        await asyncio.sleep(pause)
        await caller.classify()
        await asyncio.sleep(pause)


async def _stranger(caller: Caller, begins: float, lasts: float) -> None:
    await asyncio.sleep(begins)
    for text in _for(lasts, questions(100, 3)):
        await caller.embed(text)
        await asyncio.sleep(0.4)


async def _on_trial(caller: Caller, begins: float) -> None:
    """Asks for more than it is granted, in every way."""
    await asyncio.sleep(begins)
    for text in _for(LASTS - begins - 20, questions(400, 5)):
        await caller.embed(text)
        await caller.classify("digits", "label", "logits")
        await asyncio.sleep(0.55)
        await caller.classify("digits-mlp")


async def _thief(caller: Caller, begins: float) -> None:
    """Asks what no customer does, as fast as it may."""
    await asyncio.sleep(begins)
    for text in _for(LASTS - begins - 30, questions(2000, 9, stranger=True)):
        await caller.embed(text)
        await asyncio.sleep(0.5)


async def _mishaps(running: Stack) -> None:
    """Each at its time."""
    pods = running.pods
    await asyncio.sleep(120)
    os.kill(running.redis.pid, signal.SIGSTOP)
    await asyncio.sleep(6)
    os.kill(running.redis.pid, signal.SIGCONT)
    await asyncio.sleep(14)
    rewrite(pods["search-1"].policy, "fidelity: standard", "fidelity: standrad")
    await asyncio.sleep(15)
    rewrite(pods["search-1"].policy, "fidelity: standrad", "fidelity: standard")
    await asyncio.sleep(10)
    rewrite(pods["triage-0"].policy, "{mode: shadow}", "{mode: enforce, percent: 25}")


def _for(seconds: float, texts: Sequence[str]) -> Iterator[str]:
    """Texts in turn, for so long."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    for text in cycle(texts):
        if loop.time() > ends:
            return
        yield text
