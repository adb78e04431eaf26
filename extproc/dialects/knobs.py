"""Fields of a request that make an answer tell more, or that are swept to find out what it tells.

Rule: noted is what was asked for, whether it goes on or not; which field it was, never a value.  A
field that asks for what everybody gets, such as one choice, is none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

LOGPROBS: Final = 1 << 0
ALTERNATIVES: Final = 1 << 1
BIAS: Final = 1 << 2
"""What confines an answer to some tokens, or leans towards them."""
CHOICES: Final = 1 << 3
SEED: Final = 1 << 4
ECHO: Final = 1 << 5
"""What a model makes of the prompt itself."""
RAW: Final = 1 << 6
"""Logits, raw scores, vectors that are not normalized, hidden states."""
TEMPERATURE: Final = 1 << 7
"""None at all, or so much that tokens come in the same numbers."""
THRESHOLD: Final = 1 << 8
"""What tells a score by where it is cut off."""
EXPLANATION: Final = 1 << 9
"""Why a model says it: attributions, gradients."""
VOCABULARY: Final = 1 << 10
"""Ids of tokens, and prompts made of them."""

_HOTTEST: Final = 1.5
_COLDEST: Final = 0.05

Asks = Callable[[Any], bool]
"""Whether a value asks for anything."""


def knobs(fields: Mapping[str, Any]) -> int:
    """Which of them the fields of an object ask for, a bit each."""
    found = 0
    for name in _KNOBS.keys() & fields.keys():
        knob, asks = _KNOBS[name]
        if asks(fields[name]):
            found |= knob
    return found


def _is_on(value: Any) -> bool:
    return value is not None and value is not False  # 0 asks for the chosen token alone


def _is_off(value: Any) -> bool:
    return value is False or value == "none"


def _is_several(value: Any) -> bool:
    return value is not None and value != 1


def _is_extreme(value: Any) -> bool:
    return type(value) in (int, float) and not _COLDEST < value < _HOTTEST


_FIELDS: Final[Mapping[tuple[int, Asks], tuple[str, ...]]] = {
    (LOGPROBS, _is_on): (
        *("logprobs", "responseLogprobs", "return_log_probs", "return_cumulative_logprob"),
        *("details", "return_logprobs"),
    ),
    (ALTERNATIVES, bool): ("top_logprobs", "top_n_tokens"),
    (BIAS, bool): (
        *("logit_bias", "guided_json", "guided_regex", "guided_choice", "guided_grammar"),
        *("structured_outputs", "allowed_token_ids", "bad_words", "logits_processors"),
    ),
    (CHOICES, _is_several): ("n", "best_of", "candidateCount", "num_generations"),
    (SEED, _is_on): ("seed", "random_seed"),
    (ECHO, _is_on): ("echo", "prompt_logprobs", "decoder_input_details"),
    (RAW, bool): (
        *("raw_scores", "return_context_logits", "return_generation_logits", "return_embeddings"),
        "output_hidden_states",
    ),
    (RAW, _is_off): ("normalize", "use_activation", "activation", "softmax", "function_to_apply"),
    (TEMPERATURE, _is_extreme): ("temperature",),
    (THRESHOLD, _is_on): ("score_threshold", "threshold"),
    (EXPLANATION, bool): ("explain", "explanationSpec", "explanation_spec_override"),
    (VOCABULARY, bool): (
        *("return_token_ids", "return_tokens_as_token_ids", "token_ids", "prompt_token_ids"),
    ),
}
_KNOBS: Final[Mapping[str, tuple[int, Asks]]] = {
    name: knob for knob, names in _FIELDS.items() for name in names
}
