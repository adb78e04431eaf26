"""Asks a suspect, and writes down what it says as it comes.

Rule: an answer that was written down is not asked for again, so that whoever is interrupted goes on
where they were.  It is bounded in requests, seconds and octets, follows no redirect, and gives up
on a suspect that answers nothing; what a suspect does not answer is left out, and counted by those
who judge.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Final

import httpx
import msgspec

from extproc.auditor.files import lines
from extproc.errors import ConfigError
from extproc.ownership.answers import Recorded, Said
from extproc.ownership.questions import Question
from extproc.ownership.suspect import KEY, Api

TRIES: Final = 3
PAUSE: Final = 1.0
"""Seconds before the second try; twice as many before the third."""
TIMEOUT: Final = 30.0
"""Seconds for one request, to its answer's end."""
LARGEST: Final = 1 << 22
"""Octets of an answer."""
GIVEN_UP: Final = 20
"""Requests that failed one after another, in the end."""
_BEGINS: Final = b'{"question":"'
"""Each line that is written here."""

Progress = Callable[[int, int], None]
"""Told how many questions have had their turn, and of how many."""


async def ask(
    questions: Sequence[Question],
    api: Api,
    record: Path,
    progress: Progress,
    pause: float = PAUSE,
) -> None:
    """Raise ConfigError where the record cannot be written, the URL is none, or the suspect answers
    nothing.
    """
    done = _answered(record, api.url)
    waiting = [question for question in questions if question.question not in done]
    try:
        with record.open("ab") as file:
            limits = httpx.Limits(max_connections=api.parallel)
            async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as client:
                await _Asking(api, client, file, pause, progress, len(waiting)).run(waiting)
    except httpx.InvalidURL as error:
        raise ConfigError(f"{api.url!r}: {error}; name a URL that can be asked") from error
    except OSError as error:
        raise ConfigError(f"{record}: {error.strerror}; answers cannot be written there") from error


def _answered(record: Path, url: str) -> set[str]:
    """What is asked no more; a line that was torn by an interruption is taken away.

    Raise ConfigError where it is another's record: what one said is not to be held against another.
    """
    found = set()
    for raw in lines(record) if record.exists() else ():
        if not raw.endswith(b"\n") and (raw.startswith(_BEGINS) or _BEGINS.startswith(raw)):
            os.truncate(record, record.stat().st_size - len(raw))
            break
        line = _recorded(raw)
        if line is None or line.suspect != url:
            raise ConfigError(f"{record}: it holds what another said; name another file")
        found.add(line.question)
    return found


def _recorded(raw: bytes) -> Recorded | None:
    try:
        return msgspec.json.decode(raw, type=Recorded)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


@dataclass(slots=True)
class _Asking:
    api: Api
    client: httpx.AsyncClient
    file: IO[bytes]
    pause: float
    progress: Progress
    questions: int
    turns: int = 0
    """Questions that have had their turn."""
    answered: int = 0
    failed: int = 0
    """Requests, one after another."""

    async def run(self, waiting: Sequence[Question]) -> None:
        size = self.api.ask.batch
        batches = iter([waiting[at : at + size] for at in range(0, len(waiting), size)])

        async def worker() -> None:
            for batch in batches:
                if self.failed < GIVEN_UP:
                    await self._about(batch)

        await asyncio.gather(*(worker() for _ in range(self.api.parallel)))
        if waiting and not self.answered:
            raise ConfigError(f"{self.api.url}: it answers nothing; look what it wants, and how")

    async def _about(self, batch: Sequence[Question]) -> None:
        body = self.api.body([question.input for question in batch])
        found = await self._answer(body, len(batch))
        self.turns += len(batch)
        self.failed = 0 if found else self.failed + 1
        for question, said in zip(batch, found, strict=False):
            recorded = Recorded.of(question.question, said, self.api.url)
            self.file.write(msgspec.json.encode(recorded) + b"\n")
            self.file.flush()
            self.answered += 1
        self.progress(self.turns, self.questions)

    async def _answer(self, body: bytes, count: int) -> list[Said]:
        """Empty where there was none."""
        for number in range(TRIES):
            if number:
                await asyncio.sleep(self.pause * number)
            with suppress(httpx.HTTPError, TimeoutError, ValueError, TypeError, RecursionError):
                async with asyncio.timeout(TIMEOUT):
                    answer = await self._post(body)
                if answer is not None:
                    return self.api.read(answer, count)
        return []

    async def _post(self, body: bytes) -> bytes | None:
        """None where it is none that can be read."""
        ask, received = self.api.ask, bytearray()
        # Not compressed: a few octets of that may stand for more than there is memory.
        fields = {"accept-encoding": "identity", **headers(ask.headers, self.api.key)}
        request = self.client.stream(ask.method, self.api.url, content=body, headers=fields)
        async with request as response:
            if response.status_code != HTTPStatus.OK:
                return None
            async for piece in response.aiter_raw():
                received += piece
                if len(received) > LARGEST:
                    return None
        return bytes(received)


def headers(named: Mapping[str, str], key: str) -> dict[str, str]:
    """With the API key where it belongs; without one, fields that are to hold it are left out."""
    found = {
        name: value.replace(KEY, key) for name, value in named.items() if key or KEY not in value
    }
    if key and not any(KEY in value for value in named.values()):
        found["authorization"] = f"Bearer {key}"
    return found
