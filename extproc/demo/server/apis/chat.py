"""POST /v1/chat/completions: OpenAI's chat API in front of tiny-lm.

Rule: document and stream are made of the same pieces, so that with the same seed they say the
same.  The model continues text and knows no roles: a prompt is its messages' texts in a row.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final
from uuid import uuid4

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from extproc.demo.server.apis import chat_shapes
from extproc.demo.server.apis.chat_request import ChatRequest, check
from extproc.demo.server.apis.chat_shapes import Head, Logprobs, Part, Said
from extproc.demo.server.apis.http import answer, read, render
from extproc.demo.server.apis.openai import require_model
from extproc.demo.server.apis.text import Piece, pieces
from extproc.demo.server.models.prompt_cache import Prompt, PromptCache
from extproc.demo.server.models.sampling import Sampler, Sampling
from extproc.demo.server.models.tiny_lm import TinyLm

MODEL: Final = "tiny-lm"

_DONE: Final = b"data: [DONE]\n\n"
_SEEDS: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Completion:
    """One request with all that answering it takes."""

    model: TinyLm
    asked: ChatRequest
    prompt: Prompt
    head: Head

    def document(self) -> dict[str, Any]:
        said: list[list[Said]] = [list(choice) for choice in self._choices()]
        logprobs = self._logprobs()
        choices = [chat_shapes.choice(i, choice, logprobs) for i, choice in enumerate(said)]
        tokens = _count(one for choice in said for one in choice)
        return self.head.document(choices, chat_shapes.usage(self.prompt, tokens))

    def chunks(self) -> Iterator[dict[str, Any]]:
        """The chunks of a stream, the choices taking turns."""
        tokens: Counter[Part] = Counter()
        logprobs = self._logprobs()
        # OpenAI: if usage was asked for, every chunk has the key and all but the last say null.
        no_usage = {"usage": None} if self.asked.wants_usage else {}
        for index in range(self.asked.choices):
            yield self.head.chunk([chat_shapes.opening(index)]) | no_usage
        for said in self._in_turns():
            tokens += _count([said])
            for delta in chat_shapes.deltas(said, logprobs):
                yield self.head.chunk([delta]) | no_usage
        if self.asked.wants_usage:
            yield self.head.chunk([]) | {"usage": chat_shapes.usage(self.prompt, tokens)}

    def _in_turns(self) -> Iterator[Said]:
        for turn in zip_longest(*self._choices()):
            yield from (said for said in turn if said is not None)

    def _choices(self) -> list[Iterator[Said]]:
        content = self._sampler(self.asked.sampling)
        return [self._say(index, content) for index in range(self.asked.choices)]

    def _say(self, index: int, content: Sampler) -> Iterator[Said]:
        """One choice: its reasoning, if asked for, then its content."""
        if self.asked.reasoning is not None:
            reasoning = self._sampler(self.asked.reasoning)
            for piece in self._pieces(reasoning, _random(0, 0), stops=()):
                yield Said(index, "reasoning_content", piece)
        random = _random(self.asked.seed, index)
        for piece in self._pieces(content, random, stops=self.asked.stops):
            yield Said(index, "content", piece)

    def _pieces(
        self, sampler: Sampler, random: np.random.Generator, *, stops: Sequence[str]
    ) -> Iterator[Piece]:
        return pieces(
            sampler.sample(random),
            spellings=self.model.vocabulary.spellings,
            stops=stops,
            limit=sampler.sampling.max_tokens,
        )

    def _sampler(self, sampling: Sampling) -> Sampler:
        return Sampler(self.model, self.prompt.tokens, sampling)

    def _logprobs(self) -> Logprobs:
        return Logprobs(self.model.vocabulary.spellings, asked=bool(self.asked.logprobs))


class ChatApi:
    """``clock`` gives seconds since 1970; ``pace`` is those between two events of a stream."""

    def __init__(self, model: TinyLm, clock: Callable[[], float], pace: float = 0.0) -> None:
        self._model = model
        self._clock, self._pace = clock, pace
        self._prompts = PromptCache(model.vocabulary)

    def route(self) -> Route:
        return Route("/v1/chat/completions", self.create, methods=["POST"])

    async def create(self, request: Request) -> Response:
        asked = await read(request, ChatRequest)
        require_model(asked.model, MODEL)
        check(asked)
        completion = self._completion(asked)
        if asked.stream:
            return StreamingResponse(
                _events(completion, self._pace), media_type="text/event-stream"
            )
        return answer(await run_in_threadpool(completion.document))

    def _completion(self, asked: ChatRequest) -> Completion:
        head = Head(
            id=f"chatcmpl-{uuid4().hex}",
            created=int(self._clock()),
            model=MODEL,
            fingerprint=f"fp_{self._model.fingerprint}",
        )
        prompt = self._prompts.encode(asked.texts, asked.cache_salt or "")
        return Completion(self._model, asked, prompt, head)


async def _events(completion: Completion, pace: float) -> AsyncIterator[bytes]:
    for chunk in completion.chunks():
        yield b"data: " + render(chunk) + b"\n\n"
        # A token takes a fraction of a millisecond; other requests get their turn between two.
        await asyncio.sleep(pace)
    yield _DONE


def _random(seed: int | None, index: int) -> np.random.Generator:
    return np.random.default_rng(None if seed is None else [seed % _SEEDS, index])


def _count(said: Iterable[Said]) -> Counter[Part]:
    tokens: Counter[Part] = Counter()
    for one in said:
        tokens[one.part] += len(one.piece.tokens)
    return tokens
