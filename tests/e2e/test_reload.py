"""Policy, keys and secrets change while a real Envoy is asked: no request fails or sees a mix."""

import hashlib
import hmac
import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import KEYS, LiveGateway, principal
from tests.e2e.machine import Load
from tests.e2e.reloaded import Reloaded, put_in_force
from tests.e2e.upstream import Reply, Request, Upstream

CHAT = "/v1/chat/completions"
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


@pytest.fixture
def gateway(remounted: LiveGateway) -> LiveGateway:
    return remounted


async def telling(request: Request, reply: Reply) -> None:
    """Answers how many tokens it was asked for, and how many it took."""
    asked = orjson.loads(request.body).get("max_tokens")
    answer = orjson.loads(bodies.chat_answer())
    answer["choices"][0]["message"]["content"] = f"{asked}"
    await reply.document(orjson.dumps(answer))


def served_by(answer: httpx.Response) -> str:
    """Which policy made the request and the answer what they are."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    halves = (body["choices"][0]["message"]["content"], "usage" in body)
    return {("16", True): "one", ("32", False): "other"}.get(halves, f"a mix: {halves}")


def test_no_request_fails_or_sees_a_mix_while_policies_change(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    upstream.script = telling
    stop, seen = threading.Event(), Counter[str]()

    def ask() -> Counter[str]:
        found = Counter[str]()
        with httpx.Client(base_url=gateway.url, timeout=30) as client:
            while not stop.is_set():
                answer = client.post(CHAT, content=bodies.chat_request(), headers=bodies.headers())
                found[served_by(answer)] += 1
        return found

    versions = []
    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for number in range(8):
                text = reloaded.text if number % 2 else reloaded.other()
                versions.append(put_in_force(gateway, reloaded, reloaded.files(text)))
        finally:
            stop.set()
        for each in asking:
            seen += each.result()
    assert versions == versions[:2] * 4, "the same files are the same policy"
    assert set(seen) == {"one", "other"}
    assert seen.total() > 100
    assert min(seen.values()) > 10


def test_a_stream_is_finished_by_the_policy_that_it_began_under(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    """Its last event is one that the policy which is in force by then would not let through."""
    go_on = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(b"data: " + bodies.chat_chunk("first") + b"\n\n")
        await go_on.wait()
        await reply.chunk(b"data: " + bodies.chat_chunk("last", usage=USAGE) + b"\n\n")
        await reply.chunk(b"data: [DONE]\n\n")
        await reply.end()

    upstream.script = script
    asked: Any = bodies.chat_request(stream=True)
    with (
        httpx.Client(base_url=gateway.url, timeout=30) as client,
        client.stream("POST", CHAT, content=asked, headers=bodies.headers()) as answer,
    ):
        lines = answer.iter_lines()
        assert "first" in next(lines)
        for _ in range(3):  # as many as need be to have forgotten all but the last
            put_in_force(gateway, reloaded, reloaded.files(reloaded.other()))
            put_in_force(gateway, reloaded, reloaded.files())
        put_in_force(gateway, reloaded, reloaded.files(reloaded.other()))
        upstream.release(go_on)
        rest = "\n".join(lines)
    assert '"total_tokens":2' in rest
    assert rest.strip().endswith("data: [DONE]")
    upstream.script = telling
    assert served_by(post(gateway, CHAT, bodies.chat_request())) == "other"


def extproc(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "extproc", *words, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def status(gateway: LiveGateway, key: str) -> int:
    headers = {"authorization": f"Bearer {key}"}
    return post(gateway, CHAT, bodies.chat_request(), headers=headers).status_code


def test_a_key_works_when_it_is_made_and_no_longer_when_it_is_revoked(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    upstream.script = telling
    policy = ("--policy", str(reloaded.path))
    made = extproc("keys", "new", *policy, "--tenant", "standard")
    gateway.until(lambda: status(gateway, made["key"]) == 200)
    extproc("keys", "revoke", made["id"], *policy)
    gateway.until(lambda: status(gateway, made["key"]) == 401)
    assert status(gateway, KEYS["standard"]) == 200


def test_a_secret_is_rotated_with_all_that_is_hashed_under_it(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    """The folder is swapped whole: never one half under the other's secret."""
    upstream.script = telling
    secret, key = b"another-secret-of-the-end-to-end-tests", "xk-e2e-of-the-new-secret"
    hashed = "key:" + hmac.digest(secret, key.encode(), hashlib.sha256).hex()
    text = reloaded.text.replace(principal(KEYS["standard"]), hashed)
    assert (status(gateway, KEYS["standard"]), status(gateway, key)) == (200, 401)
    put_in_force(gateway, reloaded, reloaded.files(text, secret))
    assert (status(gateway, KEYS["standard"]), status(gateway, key)) == (401, 200)


def test_no_request_fails_while_the_secret_is_rotated(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    """The caller's key stays; what it is known by is hashed under the new secret."""
    upstream.script = telling
    secret, key = b"another-secret-of-the-end-to-end-tests", KEYS["standard"]
    hashed = "key:" + hmac.digest(secret, key.encode(), hashlib.sha256).hex()
    text = reloaded.text.replace(principal(key), hashed)
    with Load(gateway.url, CHAT, bodies.chat_request(), bodies.headers()) as load:
        for _ in range(2):
            load.go_on()
            put_in_force(gateway, reloaded, reloaded.files(text, secret))
            load.go_on()
            put_in_force(gateway, reloaded, reloaded.files())
    assert load.statuses() == {200}
    assert not load.leaked()


WRONG: dict[str, Callable[[str], str]] = {
    "of a type that it cannot be": lambda text: text.replace("fidelity: rotated", "fidelity: 7"),
    "half written": lambda text: text[: text.index("rotated:") + 8],
    "empty": lambda _: "",
    "not for a sidecar that runs": lambda text: text.replace("s.sock", "other.sock"),
}


@pytest.mark.parametrize("why", WRONG)
def test_a_file_that_is_wrong_keeps_the_policy_and_is_told(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded, why: str
) -> None:
    upstream.script = telling
    before, failed = reloaded.config(), 'extproc_config_reloads_total{outcome="failed"}'
    times = reloaded.metric(failed)
    reloaded.volume.swap(reloaded.files(WRONG[why](reloaded.text)))
    gateway.until(lambda: reloaded.metric(failed) > times)
    problem = reloaded.config()["problem"]
    assert problem.startswith(f"{reloaded.path}:")
    assert reloaded.get("/readyz").splitlines() == [
        "ready",
        f"config {before['config']} since {before['since']}",
        f"not reloaded: {problem}",
    ]
    assert reloaded.metric("extproc_config_reload_failed") == 1
    info = f'extproc_config_info{{hash="{before["config"]}"}}'
    assert reloaded.metric(info) == 1
    assert served_by(post(gateway, CHAT, bodies.chat_request())) == "one"


def test_a_file_that_is_gone_keeps_it_too(
    gateway: LiveGateway, upstream: Upstream, reloaded: Reloaded
) -> None:
    upstream.script = telling
    reloaded.path.unlink()
    gateway.until(lambda: "No such file" in reloaded.config()["problem"])
    assert served_by(post(gateway, CHAT, bodies.chat_request())) == "one"
    reloaded.path.symlink_to("..data/policy.yaml")
    gateway.until(lambda: reloaded.config()["problem"] == "")


def test_a_hangup_has_it_loaded_now(gateway: LiveGateway, reloaded: Reloaded) -> None:
    done = 'extproc_config_reloads_total{outcome="unchanged"}'
    times = reloaded.metric(done)
    gateway.kill_sidecar(signal.SIGHUP)
    gateway.until(lambda: reloaded.metric(done) == times + 1)
    gateway.until(lambda: any('"message":"unchanged"' in line for line in gateway.log))
