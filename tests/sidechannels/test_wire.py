"""What is no matter of chance, on the client's side of a real Envoy."""

import re
from collections.abc import Iterator

import openai
import pytest

from tests.e2e import bodies
from tests.e2e.client import exchange
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Upstream, answering, streaming
from tests.sidechannels.pairs import PAIRS, Pair
from tests.sidechannels.sampling import GRID, gateway, sample, shaped

pytestmark = pytest.mark.e2e
SIZE = 700


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    with gateway(tmp_path_factory.mktemp("s"), shape=True) as running:
        yield running
        assert running.fail_open_events() == 0


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_both_of_a_pair_are_as_long_and_never_come_before_the_grid(
    sampled: LiveGateway, pair: Pair
) -> None:
    one, other = sample(sampled, pair, 4, 4)
    assert {*one.lengths} == {*other.lengths}
    assert len({*one.lengths}) == 1
    # Counted from the Check, which comes after the client has begun to count.
    assert min(*one.seconds, *other.seconds) >= GRID


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def steady(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """Shaped, and its streams at a constant rate."""

    def policy(text: str) -> str:
        rate = f"standard: {{stream: {{tick: 50ms, size: {SIZE}}}, models"
        assert "standard: {models" in text
        return shaped(text).replace("standard: {models", rate)

    with live_gateway(tmp_path_factory.mktemp("t"), upstream.port, policy=policy) as running:
        yield running
        assert running.fail_open_events() == 0


def asked(
    running: LiveGateway, body: bytes, tenant: str = "standard", path: str = "", key: str = ""
) -> bytes:
    """Everything of an answer, as it is on the wire."""
    given = bodies.headers(tenant) | ({"authorization": f"Bearer {key}"} if key else {})
    fields = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    head = f"POST {path or bodies.CHAT} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}"
    return exchange(running, f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def names(answer: bytes) -> list[bytes]:
    head = answer.partition(b"\r\n\r\n")[0]
    return [line.partition(b":")[0] for line in head.split(b"\r\n")[1:]]


@pytest.mark.parametrize("words", [("hi",), ("hi", "there", "you"), ("a" * 2000,)])
def test_a_stream_leaves_in_chunks_of_one_size(
    steady: LiveGateway, upstream: Upstream, words: tuple[str, ...]
) -> None:
    upstream.script = streaming(bodies.chat_stream(*words))
    answer = asked(steady, bodies.chat_request(stream=True))
    sizes = re.findall(rb"\r\n([0-9a-f]+)\r\n", answer)
    assert {int(size, 16) for size in sizes[:-1]} == {SIZE}
    assert int(sizes[-1], 16) == 0
    for word in words:
        assert b'"%b"' % word.encode()[:500] in answer or len(word) > SIZE


def test_the_apis_own_client_reads_what_is_shaped(steady: LiveGateway, upstream: Upstream) -> None:
    client = openai.OpenAI(base_url=f"{steady.url}/v1", api_key=KEYS["standard"], max_retries=0)
    asking = {"model": "tiny-lm", "messages": [{"role": "user", "content": "hello"}]}
    upstream.script = answering(bodies.chat_answer())
    answer = client.chat.completions.create(**asking)  # type: ignore[call-overload]
    assert answer.choices[0].message.content == "hi"
    upstream.script = streaming(bodies.chat_stream("one", "two", "three"))
    stream = client.chat.completions.create(**asking, stream=True)  # type: ignore[call-overload]
    assert [chunk.choices[0].delta.content for chunk in stream] == ["one", "two", "three"]
    upstream.script = answering(b"no JSON")
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**asking)  # type: ignore[call-overload]
    client.close()


def test_the_cause_of_an_error_does_not_show(steady: LiveGateway, upstream: Upstream) -> None:
    """Byte for byte but for the request's id and the date, header fields and all."""

    async def reset(request: Request, reply: Reply) -> None:
        reply.reset()

    ask = bodies.chat_request()
    forbidden = asked(steady, bodies.chat_request(model="gpt-secret"))
    upstream.script = answering(b"no such model: s3cret", status=404, retry_after="7")
    alike(forbidden, asked(steady, ask))
    upstream.script = answering(b"busy", status=503, retry_after="7", x_node="s3cret")
    busy = asked(steady, ask)
    upstream.script = reset
    alike(busy, asked(steady, ask))
    upstream.script = answering(b"s3cret")
    unreadable = asked(steady, ask)
    upstream.script = answering(b"s3cret", status=599, retry_after="7")
    alike(unreadable, asked(steady, ask))
    path = "/v2/models/secret/infer"
    assert names(asked(steady, bodies.infer_request(), path=path)) == names(forbidden)
    upstream.script = answering(b"slow down", status=429, retry_after="37")
    limited = asked(steady, ask, "full")
    upstream.script = answering(bodies.chat_answer())
    ours = [asked(steady, ask, "slow") for _ in range(3)][-1]
    assert names(limited) == names(ours)
    assert b"retry-after: 60\r\n" in limited


def test_an_answer_and_a_denial_have_one_head_and_one_framing(
    steady: LiveGateway, upstream: Upstream
) -> None:
    """Whatever can be read of them but the status, and the one field that HTTP wants of a 401."""
    upstream.script = answering(bodies.chat_answer(), vary="origin", x_node="s3cret")
    answer = asked(steady, bodies.chat_request())
    denial = asked(steady, bodies.chat_request(), key="xk-nobody")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert denial.startswith(b"HTTP/1.1 401 ")
    assert [name for name in names(answer) if name != b"vary"] == [
        name for name in names(denial) if name != b"www-authenticate"
    ]
    assert b"vary: origin\r\n" in answer
    assert b"s3cret" not in answer
    assert len(answer.partition(b"\r\n\r\n")[2]) == len(denial.partition(b"\r\n\r\n")[2])


def test_a_document_of_some_hundred_kilobytes_leaves_whole(
    steady: LiveGateway, upstream: Upstream
) -> None:
    words = b"a" * 250_000
    upstream.script = answering(
        bodies.chat_answer().replace(b'"content":"hi"', b'"content":"%b"' % words)
    )
    answer = asked(steady, bodies.chat_request())
    assert words in answer
    assert b"content-length: 250880\r\n" in answer


def alike(one: bytes, other: bytes) -> None:
    assert settled(one) == settled(other)


def settled(answer: bytes) -> bytes:
    answer, ids = re.subn(rb"x-request-id: [0-9a-f]{16}\r\n", b"", answer)
    answer, dates = re.subn(rb"date: [^\r]{29}\r\n", b"", answer)
    assert (ids, dates) == (1, 1)
    assert b"s3cret" not in answer
    return answer
