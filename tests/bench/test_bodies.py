from pathlib import Path

import orjson
import pytest

from extproc.config import compile_table, load
from extproc.dialects.answers import Document
from extproc.dialects.shape import Rewrite
from extproc.policy import Policy
from extproc.rewriter import rewritten
from tests.bench import bodies
from tests.bench.rig import write_policy


@pytest.fixture
def chat(tmp_path: Path) -> Policy:
    table = compile_table(load(write_policy(tmp_path)))
    return table.policies["bench", "POST /v1/chat/completions"]


def rewrite(policy: Policy, document: bytes) -> tuple[bytes, Rewrite]:
    run, answer = Rewrite(policy.edits, "chat"), policy.answers["application/json"]
    assert isinstance(answer, Document)
    after = rewritten(document, answer.node, run)
    assert after is not None
    return after, run


def test_an_event_without_logprobs_has_nothing_to_take_out(chat: Policy) -> None:
    data = bodies.event().removeprefix(b"data: ").rstrip()

    after, run = rewrite(chat, data)

    assert after == data
    assert not run.dropped


def test_an_event_with_logprobs_loses_them(chat: Policy) -> None:
    data = bodies.event(logprobs=True).removeprefix(b"data: ").rstrip()

    _, run = rewrite(chat, data)

    assert run.dropped == {"choices[].logprobs": 1}


def test_an_event_is_marked_once() -> None:
    assert bodies.event().count(bodies.MARK) == 1


def test_answers_have_the_sizes_that_the_tables_name() -> None:
    assert 900 < len(bodies.chat_answer()) < 1100
    (item,) = orjson.loads(bodies.embeddings_answer())["data"]
    assert len(item["embedding"]) == 1536
    assert 1_000_000 <= len(bodies.large_answer(1_000_000)) < 1_020_000
