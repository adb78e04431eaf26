"""Learn from refusals and header fields what one is not meant to know.

Sources: OWASP Web Security Testing Guide, WSTG-IDNT-04 "Testing for Account Enumeration" and
WSTG-ERRH-01 "Testing for Improper Error Handling": two causes that are answered differently are an
oracle; WSTG-INFO-02 on header fields that tell what runs; Gu et al., 2025, "Auditing Prompt Caching
in Language Model APIs", on answers that tell what was cached.

What is refused for causes of one class has to look the same: whatever is wrong with a credential,
whichever path is not there, whichever model is not.  That classes differ (a stranger and a model
that is not there) is meant, and told by the status.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Final

import orjson

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks.pairs import of_unknown_model
from extproc.redteam.request import Reply, Request
from extproc.redteam.scene import Scene

INNOCENT: Final = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "date",
        "retry-after",
        "transfer-encoding",
        "vary",
        "www-authenticate",
        "x-extproc-challenge",
        "x-request-id",
        "x-should-retry",
    }
)
"""Header fields that say no more than the status does."""
LIMITS: Final = ("ratelimit", "x-ratelimit")
"""How fields begin that tell callers of their own limits, which policies may want."""
TELLING: Final = frozenset({"system_fingerprint", "cached_tokens", "service_tier", "model_version"})
"""Members of answers that tell of the machine, or of others' questions."""
_CHANGING: Final = frozenset({"date", "x-request-id"})

_NAMED: Final = 10

_Case = tuple[str, Request]


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    plain = scene.target.adapter.request(scene.target.task[:1], 0)
    seen: list[Reply] = [await scene.client.send(plain), await scene.client.send(_CHAT)]
    apart: dict[str, list[str]] = {}
    for group, cases in _classes(plain).items():
        replies = [await scene.client.send(request) for _, request in cases]
        apart[group] = list(_told_apart([name for name, _ in cases], replies))
        seen += replies
        yield Finding(f"told_apart.{group}", len(apart[group]), note=_some(apart[group]))
    yield Finding("told_apart", sum(map(len, apart.values())))
    names = {name for reply in seen for name, _ in reply.headers}
    limits = sorted(name for name in names if name.startswith(LIMITS))
    leaking = sorted(names - INNOCENT - set(limits))
    yield Finding("headers.leaking", len(leaking), note=", ".join(leaking))
    yield Finding("headers.limits", len(limits), note=", ".join(limits))
    members = sorted({name for reply in seen for name in _members(reply)} & TELLING)
    yield Finding("members.telling", len(members), note=", ".join(members))


def _classes(plain: Request) -> Mapping[str, Sequence[_Case]]:
    """Causes of one class, each with a request that has it."""
    return {
        "strangers": list(_strangers(plain)),
        "paths": [
            ("no such path", replace(plain, path="/v9/nothing/here")),
            ("list of models", replace(plain, path="/v1/models", method="GET", body=b"")),
            ("health", replace(plain, path="/healthz", method="GET", body=b"")),
            ("metrics", replace(plain, path="/metrics", method="GET", body=b"")),
            ("model's own page", replace(plain, path=_above(plain), method="GET", body=b"")),
            ("administration", replace(plain, path="/v2/repository/index")),
        ],
        "models": [
            ("no such model", of_unknown_model(plain)),
            ("another", of_unknown_model(plain, "gpt-secret")),
            ("a long name", of_unknown_model(plain, "m" * 60)),
            ("its name in capitals", of_unknown_model(plain, str.upper)),
        ],
    }


def _strangers(plain: Request) -> Iterator[_Case]:
    elsewhere = replace(plain, path="/v9/nothing/here")
    for place, request in (("", plain), (" elsewhere", elsewhere), (" no body", _empty(plain))):
        for name, fields in {
            "no key": {},
            "no such key": {"authorization": "Bearer xk-nobody00-0000"},
            "a short key": {"authorization": "Bearer x"},
            "an empty key": {"authorization": "Bearer "},
            "another scheme": {"authorization": "Basic eDp5"},
            "another field": {"x-api-key": "xk-nobody00-0000"},
        }.items():
            yield name + place, replace(request, key=None, headers={**request.headers, **fields})


def _told_apart(names: Sequence[str], replies: Sequence[Reply]) -> Iterator[str]:
    """The pairs whose answers differ, with what differs first."""
    for (one, a), (other, b) in combinations(zip(names, replies, strict=True), 2):
        for what, left, right in zip(
            ("status", "fields", "body"), _shape(a), _shape(b), strict=True
        ):
            if left != right:
                yield f"{one} / {other}: {what}"
                break


def _some(names: Sequence[str]) -> str:
    """The first ten, and how many more there are."""
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return "; ".join([*names[:_NAMED], *more])


def _shape(reply: Reply) -> tuple[Any, ...]:
    fields = tuple((k, "" if k in _CHANGING else v) for k, v in reply.headers)
    return reply.status, fields, reply.body


def _members(reply: Reply) -> Iterator[str]:
    try:
        waiting = [orjson.loads(reply.body)]
    except orjson.JSONDecodeError:
        return
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield from (name for name, value in found.items() if value is not None)
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _above(plain: Request) -> str:
    return plain.path.rpartition("/")[0]


def _empty(plain: Request) -> Request:
    return replace(plain, body=b"")


_CHAT: Final = Request(
    "/v1/chat/completions",
    orjson.dumps(
        {"model": "tiny-lm", "messages": [{"role": "user", "content": "the"}], "max_tokens": 1}
    ),
    headers={"content-type": "application/json"},
    queries=0,
)
"""Where there is a chat too, as in the demo; else it is refused like any other path."""

_ABOUT: Final = {
    "strangers": "reasons to be no caller",
    "paths": "paths that a caller does not have",
    "models": "models that a caller does not have",
}

ATTACK: Final = Attack(
    name="oracles",
    paper="OWASP Web Security Testing Guide 4.2, IDNT-04, ERRH-01, INFO-02",
    family=Family.CHANNEL,
    needs=(Needs.NOTHING,),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    quick=("digits",),
    budgets=(100,),
    policies=("full", "standard", "coarse", "metered", "sealed"),
    measures=(
        Measure("told_apart", "pairs of causes of one class that are refused differently", "pairs"),
        *(
            Measure(f"told_apart.{g}", f"pairs of {w} refused differently")
            for g, w in _ABOUT.items()
        ),
        Measure("headers.leaking", "header fields that tell of the machine or of others", "fields"),
        Measure("headers.limits", "header fields that tell callers of their own limits", "fields"),
        Measure("members.telling", "members of answers that tell of the machine or of others"),
    ),
)
