"""What vLLM's pooling APIs share: the request fields, the raw-score switches, the answer's frame.

Rule: a switch that turns an activation or a normalisation off asks for the numbers behind it, and
is refused by name, whatever the tier; so is a number format that mutators cannot write.

Source: vLLM's online serving documentation, "Pooling Models".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from extproc.dialects.counted import Counted
from extproc.dialects.gate import PASS, USER, Changes, Forced, Only, Rule, Taking, Terms
from extproc.dialects.gathered import Gathered
from extproc.dialects.request import Admitted
from extproc.dialects.shape import Fault, Fields, Gate, Items, Keep, ModelName, Node

ACTIVATED: Final = Only((None, True))
"""Raw scores and lengths otherwise."""
SWITCHES: Final[Mapping[str, Rule]] = dict.fromkeys(
    ("use_activation", "activation", "softmax", "normalize"), ACTIVATED
)
FLOAT32: Final[Mapping[str, Rule]] = {
    "embed_dtype": Only((None, "float32")),
    "endianness": Only((None, "native", "little")),
}
"""How a server that was asked for base64 or octets writes numbers."""
TOKENIZING: Final[Mapping[str, Rule]] = dict.fromkeys(
    ("truncate_prompt_tokens", "truncation_side", "add_special_tokens"), PASS
)


@dataclass(frozen=True, slots=True)
class Salt:
    """The tenant's own salt, whatever was asked."""

    def admit(self, value: Any, changes: Changes, place: str) -> Any:
        salt = changes.terms.salt
        return Forced(salt).admit(value, changes, place) if salt else changes.taken(place)


COMMON: Final[Mapping[str, Rule]] = {
    "model": PASS,
    "user": USER,
    **TOKENIZING,
    **SWITCHES,
    "cache_salt": Taking(),
}
"""Request fields of every pooling API."""
SALTED: Final[Mapping[str, Rule]] = {**COMMON, "cache_salt": Salt()}
"""Of those that only vLLM has: other servers would refuse a salt."""
_COUNTS: Final = Gate(
    "usage",
    Fields(
        {
            **dict.fromkeys(("prompt_tokens", "total_tokens", "completion_tokens"), Keep()),
            "prompt_tokens_details": Gate("usage_detail", Fields({"cached_tokens": Keep()})),
        }
    ),
)
USAGE: Final = Counted(
    # Jina gives the total alone; of what only reads, it is the input.
    Counted(_COUNTS, input=("total_tokens",)),
    input=("prompt_tokens",),
    output=("completion_tokens",),
)


def salted(admitted: Admitted, terms: Terms) -> Admitted:
    """With the tenant's own salt, so that a prefix cache says nothing about other tenants."""
    return admitted.with_field("cache_salt", terms.salt) if terms.salt else admitted


def answer(item: Mapping[str, Node], *, vectors: bool = False) -> Node:
    """An answer with one item for each input, and perhaps one vector in each."""
    items = Items(Fields({"index": Keep(), "object": Keep(), **item}), each=True)
    return Fields(
        {
            **dict.fromkeys(("id", "object", "created"), Keep()),
            "model": ModelName(),
            "data": Gathered(items) if vectors else items,
            "usage": USAGE,
            "error": Fault(),
        }
    )
