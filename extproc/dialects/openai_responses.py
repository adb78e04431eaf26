"""OpenAI responses, as documents and as streams of named events (POST /v1/responses).

Source: OpenAI API reference, "Responses".  What a request may ask for, and why not, stands in
openai_request.py; besides, nothing is kept by the model server from one request to the next
(``store`` is forced off; ``previous_response_id``, ``conversation``, ``background`` and ``prompt``
are unknown here), since whose it is only the model server would know.  Of tools those are known
whose items the answer's tree knows.
"""

from collections.abc import Mapping
from typing import Final

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.features import TOKENS, Tools
from extproc.dialects.gate import (
    PASS,
    Alternatives,
    Changes,
    Each,
    Forced,
    Granted,
    Json,
    Object,
    Only,
    Rule,
    Taking,
    Terms,
)
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_request import (
    OBFUSCATION,
    RANKING,
    SAMPLING,
    USERS,
    VLLM,
    check_alone,
    check_count,
    check_model,
    check_stream,
    is_free,
    salted,
)
from extproc.dialects.openai_response import RESPONSE
from extproc.dialects.openai_response_events import response_events
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import Node
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

MAX_ALTERNATIVES: Final = 20
"""The API's own bound on ``top_logprobs``."""
_LOGPROBS: Final = "message.output_text.logprobs"
_INCLUDED: Final[dict[str, Rule]] = {
    _LOGPROBS: Granted("logprobs"),
    "reasoning.encrypted_content": Granted("reasoning"),
    "file_search_call.results": PASS,  # its scores are in the answer's tree
    "web_search_call.results": PASS,
    "web_search_call.action.sources": PASS,
    "code_interpreter_call.outputs": PASS,
    "message.input_image.image_url": Taking(),  # what the client sent
    "computer_call_output.output.image_url": Taking(),
}
_TOOLS: Final = frozenset(
    {
        "function",
        "custom",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
        "file_search",
        "code_interpreter",
        "image_generation",
        "mcp",
    }
)


class _Included:
    """An entry of ``include``, each under a rule of its own."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        rule = _INCLUDED.get(value) if isinstance(value, str) else None
        if rule is None:
            raise ClientError(f"{place!r} has a value that is not available.")
        return rule.admit(value, changes, place)


_FILE_SEARCH: Final = Object(
    {
        **dict.fromkeys(("type", "vector_store_ids", "filters", "max_num_results"), PASS),
        "ranking_options": RANKING,
    }
)


class _Tool:
    """A tool of a known type; what searches files is kept from asking for scores."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        kind = value.get("type") if isinstance(value, dict) else None
        require(isinstance(kind, str) and kind in _TOOLS, f"{place!r} is not an available tool.")
        return _FILE_SEARCH.admit(value, changes, place) if kind == "file_search" else value


_SUMMARY: Final = Granted("reasoning")
_GATE: Final = Object(
    {
        **dict.fromkeys(
            (
                "model",
                "input",
                "instructions",
                "max_tool_calls",
                "metadata",
                "parallel_tool_calls",
                "prompt_cache_key",
                "service_tier",
                "stream",
                "tool_choice",
                "truncation",
            ),
            PASS,
        ),
        **SAMPLING,
        **VLLM,
        **USERS,
        "max_output_tokens": TOKENS,
        "include": Each(_Included()),
        "moderation": Granted("score"),
        "reasoning": Object(
            {
                **dict.fromkeys(("effort", "context", "mode"), PASS),
                "summary": _SUMMARY,
                "generate_summary": _SUMMARY,
            }
        ),
        "enable_response_messages": Only((None, False)),  # vLLM's: prompts and answers as tokens
        "store": Forced(value=False),
        "stream_options": Object(OBFUSCATION),
        "text": Object(dict.fromkeys(("format", "verbosity"), PASS)),
        "tools": Tools(Each(_Tool())),
        "top_logprobs": Granted("logprobs", Alternatives()),
    },
    {"store": False},
    ("max_output_tokens",),
)


class OpenAIResponses(JsonDialect, frozen=True, tag="openai_responses"):
    """Responses."""

    cache_salt: bool = False
    """Whether the model server is vLLM and keeps each tenant's prompt cache apart by a salt."""

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        admitted = self.admit(body, salted(_GATE, terms, wanted=self.cache_salt), terms)
        read, fields = admitted.read, admitted.fields
        model, stream = check_model(read), check_stream(read)
        check_count(read, "top_logprobs", 0, MAX_ALTERNATIVES)
        require(read.get("input"), "'input' must not be empty.")
        if fields.get("top_logprobs") or _LOGPROBS in (fields.get("include") or ()):
            check_alone(fields)
            require(not _has_grammar(fields), "A grammar and 'logprobs' cannot be combined.")
        inputs = ((read.get("instructions"), read["input"]),)
        query = Query(model, 1, stream)
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def answers(self) -> Answers:
        response = self.answer()
        events = Events(response_events(response), frozenset({b"[DONE]"}), named=True)
        return {JSON: Document(response), "text/event-stream": events}

    def tree(self) -> Node:
        return RESPONSE

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _has_grammar(fields: Mapping[str, Json]) -> bool:
    """Whether the text or a tool's input is confined to a grammar."""
    text = fields.get("text") or {}
    return not is_free(text.get("format")) or any(
        tool["type"] == "custom" and not is_free(tool.get("format"))
        for tool in fields.get("tools") or ()
    )
