"""Asking a suspect over HTTP: nothing that was answered is lost, and nothing goes on for ever."""

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from extproc.declared_api.description import Ask
from extproc.declared_api.json_place import parse
from extproc.declared_api.template import Template
from extproc.errors import ConfigError
from extproc.ownership import answers, asking
from extproc.ownership.asking import GIVEN_UP, LARGEST, TRIES, ask, headers
from extproc.ownership.questions import Question, about
from extproc.ownership.suspect import Described
from tests.e2e.upstream import Reply, Request, Upstream

TEXTS = [f"question {number}" for number in range(12)]
QUESTIONS = [about(text) for text in TEXTS]


@pytest.fixture
def server() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


def api(server: Upstream, batch: int = 1, parallel: int = 2) -> Described:
    asked = Ask(path="/classify", body='{"texts": {{inputs}}}', batch=batch)
    template, url = Template(asked.body), f"http://127.0.0.1:{server.port}/classify"
    return Described(url, asked, "s3cret", parallel, template, parse("labels"), None, None, ())


async def labels(request: Request, reply: Reply) -> None:
    """The last letters of the texts."""
    texts = msgspec.json.decode(request.body)["texts"]
    await reply.document(msgspec.json.encode({"labels": [text[-1] for text in texts]}))


def run(
    questions: list[Question], api: Described, record: Path, told: list[int] | None = None
) -> None:
    seen = [] if told is None else told
    asyncio.run(ask(questions, api, record, lambda turns, of: seen.append(turns), pause=0.0))


def test_each_question_is_asked_and_what_is_said_written_down(
    server: Upstream, tmp_path: Path
) -> None:
    server.script, told = labels, list[int]()
    run(QUESTIONS, api(server, batch=5), tmp_path / "record", told)
    found = answers.read(tmp_path / "record")
    assert found == {about(text).question: (text[-1],) for text in TEXTS}
    assert [len(msgspec.json.decode(request.body)["texts"]) for request in server.requests] == [
        5,
        5,
        2,
    ]
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer s3cret"}
    assert {request.headers["accept-encoding"] for request in server.requests} == {"identity"}
    assert told[-1] == len(TEXTS)


def test_what_was_answered_is_not_asked_again(server: Upstream, tmp_path: Path) -> None:
    server.script = labels
    record = tmp_path / "record"
    run(QUESTIONS[:5], api(server), record)
    with record.open("ab") as file:
        file.write(b'{"question":"torn')
    run(QUESTIONS, api(server), record)
    assert len(server.requests) == len(TEXTS)
    assert len(answers.read(record)) == len(TEXTS)


def test_what_another_said_is_not_held_against_this_one(server: Upstream, tmp_path: Path) -> None:
    """Planted: without it, a folder that is used again accuses the next of what the first said."""
    record = tmp_path / "record"
    line = {"question": QUESTIONS[0].question, "said": ["x"], "suspect": "http://another"}
    record.write_bytes(msgspec.json.encode(line) + b"\n")
    with pytest.raises(ConfigError, match="it holds what another said"):
        run(QUESTIONS, api(server), record)


@pytest.mark.parametrize(
    "held", [b"a secret", b'{"question": 1}', b"[" * 5000, b'{"question":"\xff"}\n']
)
def test_a_file_that_is_no_record_is_left_as_it_is(
    server: Upstream, tmp_path: Path, held: bytes
) -> None:
    """Planted: taken for a line that was torn, a file without a line break was emptied."""
    record = tmp_path / "record"
    record.write_bytes(held)
    with pytest.raises(ConfigError, match="it holds what another said"):
        run(QUESTIONS, api(server), record)
    assert record.read_bytes() == held


def test_a_failure_is_tried_again_and_then_left_out(server: Upstream, tmp_path: Path) -> None:
    asked: dict[str, int] = {}

    async def moody(request: Request, reply: Reply) -> None:
        text = msgspec.json.decode(request.body)["texts"][0]
        asked[text] = asked.get(text, 0) + 1
        match text[-1], asked[text]:
            case "1", 1:
                await reply.document(b"{}", status=503)
            case "2", 1:
                reply.reset()
            case "3", _:
                await reply.document(b'{"labels": []}')
            case "4", _:
                await reply.document(b"x" * (LARGEST + 1))
            case "6", _:
                await reply.document(b'{"labels": ' + b"[" * 1000 + b"]" * 1000 + b"}")
            case "7", _:
                answer = gzip.compress(b'{"labels": ["7"]}')  # nobody asked for that
                await reply.head(
                    200, {"content-encoding": "gzip", "content-length": str(len(answer))}
                )
                await reply.raw(answer)
            case _:
                await labels(request, reply)

    server.script = moody
    run(QUESTIONS[:8], api(server), tmp_path / "record")
    found = answers.read(tmp_path / "record")
    assert sorted(name for said in found.values() for name in said) == ["0", "1", "2", "5"]
    assert asked[TEXTS[3]] == asked[TEXTS[4]] == asked[TEXTS[6]] == asked[TEXTS[7]] == TRIES
    assert asked[TEXTS[1]] == asked[TEXTS[2]] == 2


def test_a_suspect_that_answers_nothing_is_given_up(server: Upstream, tmp_path: Path) -> None:
    many = [about(f"question {number}") for number in range(200)]
    with pytest.raises(ConfigError, match="it answers nothing"):
        run(many, api(server), tmp_path / "record")
    assert len(server.requests) < (GIVEN_UP + 2) * TRIES


def test_a_suspect_that_never_comes_to_an_end_is_not_waited_for(
    server: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: a bound on each of its pieces alone is none on the whole."""

    async def drip(_request: Request, reply: Reply) -> None:
        await reply.stream_head("application/json")
        for _ in range(200):
            await reply.chunk(b" ")
            await asyncio.sleep(0.01)
        await reply.chunk(b'{"labels": ["x"]}')
        await reply.end()

    server.script = drip
    monkeypatch.setattr(asking, "TIMEOUT", 0.1)
    with pytest.raises(ConfigError, match="it answers nothing"):
        run(QUESTIONS[:1], api(server), tmp_path / "record")


def test_what_is_no_url_is_said(server: Upstream, tmp_path: Path) -> None:
    odd = replace(api(server), url="http://127.0.0.1:1/\0")
    with pytest.raises(ConfigError, match="name a URL that can be asked"):
        run(QUESTIONS, odd, tmp_path / "record")


def test_scores_that_are_none_are_no_answer(server: Upstream, tmp_path: Path) -> None:
    async def empty(_request: Request, reply: Reply) -> None:
        await reply.document(b'{"scores": [null, {}]}')

    server.script = empty
    odd = replace(api(server), label=None, scores=parse("scores"))
    with pytest.raises(ConfigError, match="it answers nothing"):
        run(QUESTIONS[:1], odd, tmp_path / "record")


def test_a_record_that_cannot_be_written_is_said(server: Upstream, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="answers cannot be written there"):
        run(QUESTIONS, api(server), tmp_path / "nowhere" / "record")


def test_the_key_stands_where_a_field_wants_it() -> None:
    assert headers({"x-key": "{{key}}", "a": "b"}, "k") == {"x-key": "k", "a": "b"}
    assert headers({"x-key": "{{key}}", "a": "b"}, "") == {"a": "b"}
    assert headers({"a": "b"}, "k") == {"a": "b", "authorization": "Bearer k"}
