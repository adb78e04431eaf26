"""A gateway whose tenants each have a budget of their own, and what is left of it.

What is left is found out as a caller can: the largest request that is let in.  Those that are let
in meet a model server that is down, so that they are given back whole.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from tests.e2e import bodies
from tests.e2e.client import connection
from tests.e2e.gateway import LiveGateway, live_gateway, principal
from tests.e2e.upstream import Reply, Request, Upstream

COMPLETIONS: Final = "/v1/completions"
MESSAGES: Final = "/v1/messages"
DOWN: Final = "down"
"""The model that is: whoever asks for it is answered 503."""

Changed = Callable[[str], str]


def key(tenant: str) -> str:
    return f"xk-e2e-of-{tenant}"


def headers(tenant: str, number: int = 0) -> dict[str, str]:
    """Those of the tenant's first key, or another."""
    shown = key(tenant) + (f"-{number}" if number else "")
    return {"authorization": f"Bearer {shown}", "content-type": "application/json"}


def ask(
    gateway: LiveGateway, tenant: str, body: bytes, path: str = bodies.CHAT, **more: Any
) -> httpx.Response:
    """``number`` is that of the tenant's key, ``source`` the address it comes from."""
    source = more.pop("source", "127.0.0.1")
    transport = httpx.HTTPTransport(verify=False, local_address=source)
    fields = {**headers(tenant, more.pop("number", 0)), **more.pop("headers", {})}
    method = more.pop("method", "POST")
    with httpx.Client(base_url=gateway.url, timeout=30, transport=transport) as client:
        return client.request(method, path, content=body, headers=fields, **more)


def chat(**fields: Any) -> bytes:
    return bodies.chat_request(**{"max_tokens": 10, **fields})


def answer(output: int = 1, read: int = 1, text: str = "hi", *, usage: bool = True) -> bytes:
    """To a chat: with its token counts, or without."""
    found = orjson.loads(bodies.chat_answer())
    found["choices"][0]["message"]["content"] = text
    told = {"prompt_tokens": read, "completion_tokens": output, "total_tokens": read + output}
    return orjson.dumps({**found, "usage": told} if usage else {**found, "usage": None})


def down(script: Callable[[Request, Reply], Any]) -> Callable[[Request, Reply], Any]:
    """As the script, but for the model that is down."""

    async def scripted(request: Request, reply: Reply) -> None:
        if b'"model":"down"' in request.body:
            await reply.document(b"{}", status=503)
        else:
            await script(request, reply)

    return scripted


def left(gateway: LiveGateway, tenant: str, most: int = 1 << 14) -> int:
    """Tokens: the largest worst case that is let in; 0 where none of them is."""
    low, high = 0, most
    while low < high:
        tokens = (low + high + 1) // 2
        low, high = (tokens, high) if _fits(gateway, tenant, tokens) else (low, tokens - 1)
    return low + len(chat(model=DOWN, max_tokens=low)) if low else 0


def _fits(gateway: LiveGateway, tenant: str, tokens: int) -> bool:
    status = ask(gateway, tenant, chat(model=DOWN, max_tokens=tokens)).status_code
    assert status in {429, 503}, status
    gateway.until_settled()
    return status == 503


def until_left(gateway: LiveGateway, tenant: str, tokens: int) -> None:
    """Settlement goes on behind the answer's end."""
    gateway.until_settled()
    seen = left(gateway, tenant)
    assert seen == tokens, f"{seen} are left of {tenant}'s budget, not {tokens}"


def few(most: int = 1, **more: Any) -> str:
    """A policy's budget of so many requests."""
    line = {"name": "few", "count": "requests", "max": most, "per": "tenant", **more}
    if "window" not in line:
        line.setdefault("period", "lifetime")
    text = ", ".join(f"{name}: {value}" for name, value in line.items())
    return f"budgets: [{{{text}}}]"


def plans(policies: Mapping[str, str], more: str = "", more_routes: str = "") -> Changed:
    """The text of the policy file with these policies, each of a tenant of its name.

    ``more`` stands at the file's top, ``more_routes`` beside its routes.
    """
    routes = f"""routes:
  - {{path: {COMPLETIONS}, dialect: openai_completions}}
  - {{path: {MESSAGES}, dialect: anthropic_messages}}
"""
    changes = {
        "routes:\n": more + routes + more_routes,
        "dialect: openai_chat": "dialect: {kind: openai_chat, count_usage: true}",
        "openai_embeddings": "openai_embeddings, risk: high, credentials: {strength: 0}",
        "label: label}}": "label: label}}\n    sizes: {probabilities: 10}",
    }

    def change(text: str) -> str:
        for old, new in changes.items():
            text = text.replace(old, new)
        for tenant, policy in policies.items():
            line = f"  {tenant}: {{models: ['*'], {policy}}}\n"
            text = text.replace("\ntenants:", line + "\ntenants:", 1)
            text += f"  {tenant}: {{policy: {tenant}, {_cohort(tenant)}principals: ["
            text += ", ".join(f'"{principal(each)}"' for each in _keys(tenant)) + "]}\n"
        return text

    return change


def _keys(tenant: str) -> list[str]:
    return [key(tenant), f"{key(tenant)}-1"]


def _cohort(tenant: str) -> str:
    return "cohort: band, " if tenant.startswith("band") else ""


@contextmanager
def budgeted(
    scripted: Upstream, directory: Path, change: Changed, **more: Any
) -> Iterator[LiveGateway]:
    with live_gateway(directory, scripted.port, policy=change, **more) as gateway:
        yield gateway


@contextmanager
def under_way(
    gateway: LiveGateway, tenant: str, body: bytes, path: str = bodies.CHAT
) -> Iterator[Any]:
    """A request that hangs up when the block ends, whether it has been answered or not."""
    with connection(gateway) as raw:
        raw.sendall(raw_request(tenant, body, path))
        yield raw


def raw_request(tenant: str, body: bytes, path: str = bodies.CHAT, **more: str) -> bytes:
    fields = {"host": "a", "content-length": f"{len(body)}", **headers(tenant), **more}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def at_once(gateway: LiveGateway, tenant: str, asked: Sequence[bytes]) -> Counter[int]:
    """All of these chats in parallel, each by its own connection: how often each status came."""

    async def one(body: bytes) -> int:
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(raw_request(tenant, body, connection="close"))
        status = int((await reader.read()).split(b" ", 2)[1])
        writer.close()
        return status

    async def run() -> Counter[int]:
        return Counter(await asyncio.gather(*map(one, asked)))

    return asyncio.run(run())
