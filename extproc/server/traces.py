"""Spans of what ext_authz and ext_proc did for a request, beneath the span that Envoy has of it.

Rule: a request of which Envoy (or its client) traces nothing is not traced here; what is told is
names, codes and counts: never a prompt, a key, an answer, or who is suspected.

Sources: W3C Trace Context, section 3.2 (traceparent); OpenTelemetry's semantic conventions for
generative AI (the ``gen_ai`` attributes).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc.dialects import Dialect
from extproc.exchange import Exchange
from extproc.local_reply import LocalReply
from extproc.policy import Excerpt
from extproc.server.protobuf import Handover
from extproc.server.verdict import Verdict
from extproc.shadow import ShadowExchange
from extproc.untouched import Untouched

_PARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_LONGEST: Final = 64
"""Characters of a model's name that are told."""
_NANO: Final = 1_000_000_000

_OPERATIONS: Final = {
    "chat": ("openai_chat", "openai_responses", "anthropic_messages", "cohere_chat", "ollama_chat"),
    "text_completion": ("openai_completions", "ollama_generate"),
    "generate_content": ("gemini_generate",),
    "embeddings": (
        *("openai_embeddings", "cohere_embed", "gemini_embed", "ollama_embed", "tei_embed"),
        *("tei_embed_all", "tei_embed_sparse", "vertex_embeddings"),
    ),
}
_OPERATION: Final = {tag: name for name, tags in _OPERATIONS.items() for tag in tags}
"""``gen_ai.operation.name``, by dialect, where the convention has a name for it."""

Attributes = Mapping[str, str | int]


class Collector(Protocol):
    """Where spans go; see otlp.py."""

    def tell(self, name: str, parent: str, began: int, ended: int, attributes: Attributes) -> None:
        """Queue one span; times are nanoseconds of wall time.  Never waits."""
        ...


class Traces:
    def __init__(self, collector: Collector, wall: Callable[[], float]) -> None:
        self._collector, self._wall = collector, wall

    def checked(self, request: CheckRequest, response: CheckResponse, began: float) -> None:
        """A request was decided on; has ext_proc know the parent too."""
        above = parent(request.attributes.request.http.headers)
        if not above:
            return
        fields = response.dynamic_metadata.fields
        fields["traceparent"].string_value = above
        attributes = _named(
            fields["exchange"].string_value,
            fields["tenant"].string_value,
            fields["route"].string_value,
        )
        attributes["extproc.outcome"] = fields["refusal"].string_value or "allowed"
        self._tell("ext_authz Check", above, began, attributes)

    def ended(
        self,
        machine: Exchange | ShadowExchange | LocalReply | Untouched,
        handover: Handover | None,
        excerpt: Excerpt,
        seconds: float,
    ) -> None:
        """An exchange ended, having taken so many seconds."""
        if handover is None or not handover.traceparent:
            return
        attributes = _named(handover.exchange, handover.tenant, handover.route)
        attributes["http.response.status_code"] = machine.status
        said = Verdict(machine, handover, excerpt).said()
        attributes |= {f"extproc.{name}": value for name, value in said.items() if value}
        if isinstance(machine, Exchange | ShadowExchange):
            attributes |= _gen_ai(machine, excerpt)
        self._tell("ext_proc Process", handover.traceparent, self._wall() - seconds, attributes)

    def _tell(self, name: str, above: str, began: float, attributes: Attributes) -> None:
        self._collector.tell(name, above, int(began * _NANO), int(self._wall() * _NANO), attributes)


def parent(headers: Mapping[str, str]) -> str:
    """The traceparent of a request; empty where it has none that is valid."""
    found = headers.get("traceparent", "")
    return found if _PARENT.fullmatch(found) else ""


def trace_id(traceparent: str) -> str:
    """As logs have it, in hex."""
    return traceparent[3:35]


def _named(exchange: str, tenant: str, route: str) -> dict[str, str | int]:
    found = {"request_id": exchange, "tenant": tenant, "route": route}
    return {f"extproc.{name}": value for name, value in found.items() if value}


def _gen_ai(machine: Exchange | ShadowExchange, excerpt: Excerpt) -> dict[str, str | int]:
    query, usage = machine.query, machine.told.usage
    operation = _operation(excerpt.policy.route.dialect) if excerpt.policy is not None else ""
    found: dict[str, str | int | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": query.model[:_LONGEST] if query is not None else "",
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
    }
    return {name: value for name, value in found.items() if value is not None and value != ""}


def _operation(dialect: Dialect) -> str:
    return _OPERATION.get(str(type(dialect).__struct_config__.tag), "")
