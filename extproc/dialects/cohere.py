"""What Cohere's APIs share: the shape of an error, and what an answer says of itself.

Source: Cohere API reference, "Errors" and the schema ``ApiMeta``.
"""

from typing import Final

import orjson

from extproc.dialects.counted import Counted
from extproc.dialects.shape import Fields, Gate, Keep, Node
from extproc.refusal import Refusal

_TOKENS: Final = Fields(dict.fromkeys(("input_tokens", "output_tokens", "image_tokens"), Keep()))
_BILLED: Final = Fields(
    dict.fromkeys(
        ("input_tokens", "output_tokens", "images", "search_units", "classifications"), Keep()
    )
)


def _counted(node: Node) -> Node:
    """What is billed may leave tokens out that the model took."""
    for units in ("billed_units", "tokens"):
        inputs = (f"{units}.input_tokens", f"{units}.image_tokens")
        node = Counted(node, inputs, (f"{units}.output_tokens",))
    return node


_META: Final = Fields(
    {
        "api_version": Fields(dict.fromkeys(("version", "is_deprecated"), Keep())),
        "billed_units": Gate("usage", _BILLED),
        "tokens": Gate("usage", _TOKENS),
        "cached_tokens": Gate("usage_detail", Keep()),
    }
)
META: Final = _counted(_META)
USAGE: Final = _counted(
    Gate(
        "usage",
        Fields(
            {
                "billed_units": _BILLED,
                "tokens": _TOKENS,
                "cached_tokens": Gate("usage_detail", Keep()),
            }
        ),
    )
)


def cohere_error(refusal: Refusal) -> bytes:
    """``{"message": ...}``; clients choose the exception by the status."""
    return orjson.dumps({"message": refusal.message})
