"""What requests of OpenAI's text APIs, and of vLLM behind them, have in common.

Each field that could raise the fidelity of an answer has a rule here, and why:

- forced: ``include_obfuscation``, since the sizes of bare events tell the tokens in them;
  ``cache_salt`` where a route wants it, since a shared prompt cache tells who asked the same.
- under the tenant's terms: ``seed``, a cold ``temperature`` and a narrow ``top_p``, each of which
  makes an answer repeat.
- taken out, as they only ask for more to be told: ``prompt_logprobs``, ``return_token_ids``,
  ``return_tokens_as_token_ids``; and ``prediction``, whose accepted tokens are a likelihood, where
  the detail of token counts is not granted.
- refused, as an answer without them would not be the one that was asked for: ``logits_processors``
  (code), ``vllm_xargs`` and ``kv_transfer_params`` (the engine's insides), ``chat_template`` (may
  leave out what the operator's adds), ``allowed_token_ids``, ``bad_words`` and ``use_beam_search``
  (masks and rankings, from which logits follow without any log probability), ``ignore_eos`` and
  ``min_tokens`` (what a model says behind its own end), ``echo`` (likelihoods of the prompt).
- refused beside log probabilities: ``logit_bias`` and grammars.  A mask over the vocabulary and the
  log probabilities under it give the logits of any token (Carlini et al., "Stealing Part of a
  Production Language Model", ICML 2024); more than one choice gives several draws of them at once.
"""

from collections.abc import Mapping
from typing import Final

from extproc.dialects.gate import (
    END_USER,
    PASS,
    USER,
    Forced,
    Granted,
    Json,
    Object,
    Only,
    Repeatable,
    Rule,
    Taking,
    Terms,
    Within,
)
from extproc.dialects.request import require
from extproc.errors import ClientError

COLDEST: Final = 0.3
"""The least temperature of tenants that may not have the same answer drawn twice."""
BROADEST: Final = 0.9
"""The least share of the vocabulary's mass that they draw from: of a narrow one the best token
alone is left, whatever the temperature."""
MAX_CHOICES: Final = 128
"""The API's own bound on ``n``."""

_OFF: Final = Only((None, False))
_NONE: Final = Only((None,))

SAMPLING: Final[Mapping[str, Rule]] = {
    "seed": Repeatable(),
    "temperature": Repeatable(otherwise=Within(least=COLDEST)),
    "top_p": Repeatable(otherwise=Within(least=BROADEST)),
}
OBFUSCATION: Final[Mapping[str, Rule]] = {"include_obfuscation": Forced(value=True)}
STREAM_OPTIONS: Final = Object({"include_usage": Only((None, False, True)), **OBFUSCATION})
MASKS: Final = (
    "logit_bias",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "structured_outputs",
)
"""What confines an answer to some tokens."""
USERS: Final[Mapping[str, Rule]] = {"user": USER, "safety_identifier": END_USER}
"""Whom the client asks for: what OpenAI calls ``user``, and lately ``safety_identifier``."""
VLLM: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(MASKS, PASS),
    **dict.fromkeys(
        ("prompt_logprobs", "return_token_ids", "return_tokens_as_token_ids"), Taking()
    ),
    **dict.fromkeys(("use_beam_search", "ignore_eos", "echo"), _OFF),
    **dict.fromkeys(
        (
            "allowed_token_ids",
            "bad_words",
            "chat_template",
            "kv_transfer_params",
            "logits_processors",
            "vllm_xargs",
        ),
        _NONE,
    ),
    "min_tokens": Only((None, 0)),
    "include_reasoning": Granted("reasoning"),
}
"""vLLM's own fields, and ``logit_bias``."""
RANKING: Final = Object({"ranker": PASS, "hybrid_search": PASS, "score_threshold": Taking()})
"""How results of a search are ranked: a threshold, moved up and down, tells a score exactly."""


def salted(gate: Object, terms: Terms, *, wanted: bool) -> Object:
    """The gate with the tenant's salt forced on the prompt cache, where that is wanted."""
    if not wanted:
        return gate
    rules = {**gate.fields, "cache_salt": Forced(terms.salt)}
    return Object(rules, {**gate.forced, "cache_salt": terms.salt}, gate.bounded)


def check_model(read: Mapping[str, Json]) -> str:
    model = read.get("model")
    require(isinstance(model, str) and model, "'model' must be a name.")
    return str(model)


def check_stream(read: Mapping[str, Json]) -> bool:
    stream = read.get("stream")
    require(stream is None or isinstance(stream, bool), "'stream' must be a boolean.")
    return bool(stream)


def check_count(read: Mapping[str, Json], name: str, least: int, most: int) -> None:
    count = read.get(name)
    valid = count is None or (type(count) is int and least <= count <= most)
    require(valid, f"{name!r} must be between {least} and {most}.")


def prompts(read: Mapping[str, Json], name: str) -> list[Json]:
    """The inputs: a string or one array of token ids is one, an array of those is many.

    Items of two types are refused: how many inputs they make is each model server's own idea.
    """
    value: Json = read.get(name)
    if isinstance(value, str) or _are(int, value):
        return [value]
    if _are(str, value) or (_are(list, value) and all(_are(int, item) for item in value or ())):
        return list(value or ())
    raise ClientError(f"{name!r} must be a string, an array of strings, or token ids.")


def _are(kind: type, value: Json) -> bool:
    """Whether it is an array of this type alone, and not empty."""
    return isinstance(value, list) and set(map(type, value)) == {kind}


def check_alone(fields: Mapping[str, Json]) -> None:
    """Log probabilities are asked for, and go on: refuse what must not go on beside them."""
    for name in MASKS:
        require(not fields.get(name), f"{name!r} and 'logprobs' cannot be combined.")
    for name in ("n", "best_of"):
        require(
            fields.get(name) in {None, 1}, f"{name!r} above 1 and 'logprobs' cannot be combined."
        )


def is_free(wanted: Json) -> bool:
    """Whether a format of text leaves open which tokens come: a schema's constants, a grammar, and
    what else a server knows, choose among them.
    """
    known = (None, "text", "json_object")
    return wanted is None or (isinstance(wanted, dict) and wanted.get("type") in known)
