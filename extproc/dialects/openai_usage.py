"""Token counts as OpenAI's APIs report them.

Rule: the totals are ``usage``; what of them was cached, thought or predicted is ``usage_detail``,
since a count of cached tokens tells whether anybody asked the same before.
"""

from collections.abc import Iterable
from typing import Final

from extproc.dialects.counted import Counted
from extproc.dialects.shape import Fields, Gate, Keep, Node


def _detail(*names: str) -> Node:
    return Gate("usage_detail", _counts(names))


def _counts(names: Iterable[str]) -> Fields:
    return Fields(dict.fromkeys((f"{name}_tokens" for name in names), Keep()))


_INPUT: Final = _detail("audio", "cache_write", "cached", "image", "text")

COMPLETION_USAGE: Final = Counted(
    Gate(
        "usage",
        Fields(
            {
                **_counts(("prompt", "completion", "total")).fields,
                "prompt_tokens_details": _INPUT,
                "completion_tokens_details": _detail(
                    "accepted_prediction", "audio", "reasoning", "rejected_prediction", "text"
                ),
            }
        ),
    ),
    input=("prompt_tokens",),
    output=("completion_tokens",),
)
"""Of chat completions and completions."""

USAGE: Final = Counted(
    Gate(
        "usage",
        Fields(
            {
                "type": Keep(),
                **_counts(("input", "output", "total")).fields,
                "seconds": Keep(),
                "input_tokens_details": _INPUT,
                "input_token_details": _INPUT,
                "output_tokens_details": _detail("reasoning"),
            }
        ),
    ),
    # Of the two names a server has one; vLLM's transcriptions count as its completions do.
    input=("input_tokens", "prompt_tokens"),
    output=("output_tokens", "completion_tokens"),
)
"""Of the APIs that came later; ``seconds`` and ``input_token_details`` are transcriptions'."""
