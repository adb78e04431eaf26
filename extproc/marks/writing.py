"""What a tier does to what a model writes, so that a copy is known by it.

Rule: nobody sees the whole of a text before it leaves, and nobody changes a word of it: a bias is
asked of the model server, which writes, and a canary stands behind the end.  Each class is its
configuration: its fields are the YAML's fields, under ``text`` of a fidelity.
"""

from typing import Annotated

from msgspec import Meta, Struct

Argument = str | int | float


class GreenList(
    Struct, frozen=True, tag_field="kind", tag="green_list", forbid_unknown_fields=True
):
    """The model server is asked to prefer the words of a list, by its own ``logit_bias``.

    Zhao et al., "Provable Robust Watermarking for AI-Generated Text", ICLR 2024.
    """

    vocabulary: Annotated[str, Meta(min_length=1)]
    """The file of the words that may be on the list, relative to the policy file: see
    docs/ownership.md."""
    bias: Annotated[float, Meta(ge=0.1, le=10.0)]
    """Added to the logits of their tokens."""


class Processor(
    Struct, frozen=True, tag_field="kind", tag="vllm_processor", forbid_unknown_fields=True
):
    """A logits processor of vLLM's marks the text, and is told how by ``vllm_xargs``."""

    arguments: Annotated[dict[str, Argument], Meta(max_length=16)] = {}
    """What it is told for everybody."""
    key: str = ""
    """The argument that is a number of each cohort's own, below 2^53; empty where none is."""


class Canary(Struct, frozen=True, tag_field="kind", tag="canary", forbid_unknown_fields=True):
    """Behind some answers stands a reference that nobody else's model would write."""

    rate: Annotated[float, Meta(ge=0.001, le=0.5)]
    """The share of prompts, and of what is nearly the same, that are answered so."""
    wording: Annotated[str, Meta(max_length=200, pattern=r"^[^{}]*\{\}[^{}]*\Z")] = (
        "\n\n(Reference: {})"
    )
    """What is written behind the answer; {} is the reference."""


Writing = GreenList | Processor | Canary
