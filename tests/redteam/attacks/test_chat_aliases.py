"""Ways of asking, and what is read of an answer."""

import orjson
import pytest

from extproc.redteam.attacks.chat_aliases import ALIASES, drawn, entries, texts
from extproc.redteam.request import Reply

TOLD = [{"token": "a", "bytes": [97], "logprob": -0.5}]
CHOICE = {"index": 0, "logprobs": {"content": [{"top_logprobs": TOLD}]}}


def _reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status, (), body, 0.0, 0.0)


def test_each_way_asks_the_same_in_another_form() -> None:
    fields = {"logit_bias": {"1": 5}, "logprobs": True}
    requests = [alias.request(fields) for alias in ALIASES]
    forms = {(each.path, each.body, tuple(each.headers.items())) for each in requests}
    assert len(forms) == len(ALIASES)
    for each in requests:
        assert orjson.loads(each.body)["logit_bias"] == {"1": 5}


def test_documents_and_streams_tell_the_same() -> None:
    document = orjson.dumps({"choices": [CHOICE, {**CHOICE, "index": 1}]})
    stream = b"data: " + orjson.dumps({"choices": [CHOICE]}) + b"\n\ndata: [DONE]\n\n"
    assert entries(_reply(document)) == entries(_reply(stream)) == [TOLD]


@pytest.mark.parametrize(
    "reply",
    [
        _reply(b"{}", 403),
        _reply(b"not JSON"),
        _reply(b'{"choices":[{"logprobs":null}]}'),
        _reply(b'{"object":"list"}'),
        _reply(b'{"choices":[1]}'),
    ],
)
def test_what_is_refused_or_cannot_be_read_tells_nothing(reply: Reply) -> None:
    assert entries(reply) == []
    assert drawn(reply) == []


def test_every_choice_tells_what_was_drawn_and_says_it() -> None:
    first = {"index": 0, "logprobs": {"content": TOLD}, "message": {"content": "a"}}
    second = {"index": 1, "logprobs": {"content": TOLD}, "message": {"content": "b"}}
    reply = _reply(orjson.dumps({"choices": [second, first]}))
    assert drawn(reply) == [*TOLD, *TOLD]
    assert texts(reply) == ["a", "b"]


def test_what_a_stream_says_is_put_together() -> None:
    deltas = [{"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}, {}]
    events = [
        b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas
    ]
    assert texts(_reply(b"\n\n".join([*events, b"data: [DONE]"]))) == ["ab"]
    assert texts(_reply(b"not JSON")) == texts(_reply(b"{}", 403)) == []


def test_a_way_in_has_its_own_fields_whatever_was_asked_for() -> None:
    ways = {alias.name: alias for alias in ALIASES}
    for name, field, value in (("stream", "stream", True), ("two choices", "n", 2)):
        body = ways[name].request({"stream": False, "n": 1}).body
        assert orjson.loads(body)[field] == value
