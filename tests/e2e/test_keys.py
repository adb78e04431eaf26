"""Issued keys, shown by the real clients of two APIs: as bearer token, and as ``x-api-key``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anthropic
import openai
import orjson
import pytest

from extproc.config import load
from extproc.config.key_register import register
from tests.e2e import bodies
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering

DAY = timedelta(days=1)
MESSAGES: Any = [{"role": "user", "content": "hello"}]
MESSAGE = orjson.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "tiny-lm",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
)


@dataclass
class Issued:
    """Keys by what became of them, made as ``extproc keys`` makes them."""

    keys: dict[str, str] = field(default_factory=dict, repr=False)

    def policy(self, directory: Path) -> Callable[[str], str]:
        def change(text: str) -> str:
            text = text.replace(
                "routes:\n",
                "credentials: {keys: {kind: api_key, file: keys.jsonl}}\n"
                "routes:\n  - {path: /v1/messages, dialect: anthropic_messages}\n",
            )
            file = directory / "policy.yaml"
            file.write_text(text)
            self._issue(file)
            return text

        return change

    def _issue(self, file: Path) -> None:
        found, now = register(load(file)), datetime.now(UTC)
        made = {
            "active": found.issue("standard", now, DAY),
            "expired": found.issue("standard", now - 2 * DAY, DAY),
            "revoked": found.issue("standard", now),
            "rotated": found.issue("standard", now),
        }
        found.revoke(made["revoked"].line.id, now)
        made["successor"] = found.rotate(made["rotated"].line.id, now, DAY)
        self.keys |= {name: each.key for name, each in made.items()}
        self.keys |= {"listed": KEYS["standard"], "unknown": f"{made['active'].key[:-1]}~"}


@pytest.fixture(scope="module")
def issued() -> Issued:
    return Issued()


@pytest.fixture(scope="module")
def keyed(
    scripted: Upstream, issued: Issued, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    directory = tmp_path_factory.mktemp("keys")
    with live_gateway(directory, scripted.port, policy=issued.policy(directory)) as gateway:
        yield gateway


def ask_openai(gateway: LiveGateway, key: str) -> str | None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0) as client:
        answer = client.chat.completions.create(model="tiny-lm", messages=MESSAGES)
    return answer.choices[0].message.content


def ask_anthropic(gateway: LiveGateway, key: str, *, bearer: bool = False) -> str:
    who: dict[str, str] = {"auth_token" if bearer else "api_key": key}
    client = anthropic.Anthropic(base_url=gateway.url, max_retries=0, **who)  # type: ignore[arg-type]
    with client:
        answer = client.messages.create(model="tiny-lm", messages=MESSAGES, max_tokens=5)
    assert answer.content[0].type == "text"
    return answer.content[0].text


@pytest.mark.parametrize("name", ["active", "rotated", "successor", "listed"])
def test_keys_that_are_valid_are_let_in(
    keyed: LiveGateway, upstream: Upstream, issued: Issued, name: str
) -> None:
    key = issued.keys[name]
    upstream.script = answering(bodies.chat_answer())
    assert ask_openai(keyed, key) == "hi"
    upstream.script = answering(MESSAGE)
    assert ask_anthropic(keyed, key) == "hi"
    assert ask_anthropic(keyed, key, bearer=True) == "hi"
    for request in upstream.requests:
        assert key not in f"{request}"


@pytest.mark.parametrize("name", ["expired", "revoked", "unknown"])
def test_keys_that_are_not_are_refused_in_the_clients_own_words(
    keyed: LiveGateway, upstream: Upstream, issued: Issued, name: str
) -> None:
    with pytest.raises(openai.AuthenticationError, match="Missing or invalid credential"):
        ask_openai(keyed, issued.keys[name])
    with pytest.raises(anthropic.AuthenticationError, match="Missing or invalid credential"):
        ask_anthropic(keyed, issued.keys[name])
    assert upstream.requests == []


def test_nobody_learns_that_a_key_was_one_once(
    keyed: LiveGateway, upstream: Upstream, issued: Issued
) -> None:
    told = []
    for name in ("expired", "revoked", "unknown"):
        with pytest.raises(openai.AuthenticationError) as caught:
            ask_openai(keyed, issued.keys[name])
        response = caught.value.response
        # Envoy closes a connection whose request it has not read to its end, whoever asks.
        varying = {"date", "x-request-id", "connection"}
        fields = {each: response.headers[each] for each in response.headers.keys() - varying}
        told.append((response.status_code, fields, response.content))
    assert told == [told[0]] * 3


def test_records_name_a_key_by_its_id(
    keyed: LiveGateway, upstream: Upstream, issued: Issued
) -> None:
    upstream.script = answering(bodies.chat_answer())
    key = issued.keys["active"]
    identity = key.split("-")[1]
    ask_openai(keyed, key)
    keyed.until(lambda: any(f'"principal":"key:{identity}"' in line for line in keyed.log))
    assert [line for line in keyed.log if key in line or key[-43:] in line] == []
