"""The tree of a response (OpenAI API reference, "Responses", the response object).

Rule: an item or a part of a type that is not named here does not pass.  Reasoning is an item of its
own, and goes whole; so does what is to be carried from turn to turn unseen, ``compaction``.  What
merely repeats the request in objects (``tools``, ``instructions``, ``metadata``, ``prompt``) is
left out: clients have it, and a model server may have put more into it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from extproc.dialects.openai_logprobs import Withheld
from extproc.dialects.openai_scores import MODERATION, SCORE
from extproc.dialects.openai_usage import USAGE
from extproc.dialects.shape import (
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    ModelName,
    Node,
    Opaque,
    Rewrite,
)
from extproc.dialects.variants import Variants


def scalars(names: Iterable[str]) -> dict[str, Node]:
    return dict.fromkeys(names, Keep())


@dataclass(frozen=True, slots=True)
class _Plain:
    """A scalar passes; what is more than that goes."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return (
            run.drop(place) if isinstance(value, dict | list) else _KEEP.rewrite(value, run, place)
        )


_KEEP: Final = Keep()


ANNOTATION: Final = Fields(
    scalars(
        (
            "type",
            "index",
            "file_id",
            "filename",
            "container_id",
            "start_index",
            "end_index",
            "title",
            "url",
        )
    )
)
_REASONED: Final = Fields(scalars(("type", "text")))
REASONED: Final = Gate("reasoning", _REASONED)
PART: Final = Variants(
    {
        "output_text": Gate(
            "text",
            Fields(
                {
                    **scalars(("type", "text")),
                    "annotations": Items(ANNOTATION),
                    "logprobs": Withheld(),
                }
            ),
        ),
        "refusal": Gate("text", Fields(scalars(("type", "refusal")))),
        "reasoning_text": REASONED,
        "summary_text": REASONED,
    }
)
"""A part of a message, or of what was reasoned."""

_ITEM: Final = ("id", "type", "status")


def _item(*names: str, **more: Node) -> Node:
    """What the model wrote, or had done for it."""
    return Gate("text", Fields({**scalars((*_ITEM, *names)), **more}))


_RESULT: Final = Fields({**scalars(("file_id", "filename", "text")), "score": SCORE})
_ACTION: Final = Fields(
    {
        **scalars(("type", "query", "url", "pattern")),
        "queries": Items(Keep()),
        "sources": Items(Fields(scalars(("type", "url", "name")))),
    }
)
_OUTPUT: Final = Fields(scalars(("type", "logs", "url")))
_TOOL: Final = Fields(scalars(("name", "description")))
ITEM: Final = Variants(
    {
        "message": Fields({**scalars((*_ITEM, "role", "phase")), "content": Items(PART)}),
        "reasoning": Gate(
            "reasoning",
            Fields(
                {
                    **scalars((*_ITEM, "encrypted_content")),
                    "summary": Items(_REASONED),
                    "content": Items(_REASONED),
                }
            ),
        ),
        "compaction": Gate("reasoning", Fields(scalars((*_ITEM, "encrypted_content")))),
        "function_call": _item("call_id", "name", "namespace", "arguments"),
        "custom_tool_call": _item("call_id", "name", "namespace", "input"),
        "web_search_call": _item(action=_ACTION),
        "file_search_call": _item(queries=Items(Keep()), results=Items(_RESULT)),
        "code_interpreter_call": _item("code", "container_id", outputs=Items(_OUTPUT)),
        "image_generation_call": _item(
            "action", "background", "output_format", "quality", "result", "revised_prompt", "size"
        ),
        "mcp_call": _item(
            "approval_request_id", "arguments", "name", "output", "server_label", error=_Plain()
        ),
        "mcp_list_tools": _item("server_label", tools=Items(_TOOL), error=_Plain()),
        "mcp_approval_request": _item("arguments", "name", "server_label"),
    }
)

RESPONSE: Final = Fields(
    {
        **scalars(
            (
                "id",
                "object",
                "created_at",
                "completed_at",
                "status",
                "background",
                "max_output_tokens",
                "max_tool_calls",
                "parallel_tool_calls",
                "previous_response_id",
                "prompt_cache_key",
                "prompt_cache_retention",
                "safety_identifier",
                "store",
                "temperature",
                "top_logprobs",
                "top_p",
                "truncation",
                "user",
            )
        ),
        "error": Fault(),
        "incomplete_details": Fields(scalars(("reason",))),
        "model": ModelName(),
        "service_tier": Opaque("identity"),
        "output": Items(ITEM),
        "output_text": Opaque("text"),
        "reasoning": Fields(scalars(("context", "effort", "generate_summary", "mode", "summary"))),
        "text": Fields({"format": Fields(scalars(("type", "name"))), **scalars(("verbosity",))}),
        "tool_choice": _Plain(),
        "moderation": MODERATION,
        "prompt_cache_diagnostics": Gate(
            "usage_detail",
            Fields(
                scalars(("type", "reason", "cache_missed_tokens", "comparison_reusable_tokens"))
            ),
        ),
        "usage": USAGE,
    }
)
