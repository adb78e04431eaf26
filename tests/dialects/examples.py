"""Examples of a gate and an allow-list, for the documents: python -m tests.dialects.examples NAME.

Nothing here is made up: each line is what the code gives for the line above it.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from extproc.dialects import OpenAIChat, TeiPredict
from extproc.dialects.answers import Document
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Rewrite
from extproc.errors import ClientError
from extproc.mutators import Round
from extproc.rewriter import body_rewriter
from tests.corpus.surfaces import values
from tests.dialects.tiers import Edits, leaves, tier

CHAT: Final = OpenAIChat()
ASKED: Final[dict[str, Any]] = {"model": "m", "messages": []}
ASKED_MUCH: Final = {"logprobs": True, "seed": 7, "temperature": 0, "prompt_logprobs": 1}
POOR: Final = Terms({"text"}, repeatable=False)
TWO: Final = Terms({"text", "logprobs"}, alternatives=2)
GATE: Final[Sequence[tuple[str, Any, Terms, dict[str, Any]]]] = [
    (
        "openai_chat, a tier of text alone, repeatable: false",
        CHAT,
        POOR,
        {
            **ASKED,
            "logprobs": True,
            "seed": 7,
            "temperature": 0,
            "prompt_logprobs": 1,
            "store": True,
        },
    ),
    (
        "openai_chat, logprobs: [{kind: top_k, k: 2}]",
        CHAT,
        TWO,
        {**ASKED, "logprobs": True, "top_logprobs": 20},
    ),
    (
        "openai_chat, logprobs: [{kind: top_k, k: 2}]",
        CHAT,
        TWO,
        {**ASKED, "logprobs": True, "logit_bias": {"50256": 100}},
    ),
    ("tei_predict, any tier", TeiPredict(), TWO, {"inputs": "hi", "raw_scores": True}),
    (
        "openai_chat, unknown: strip",
        OpenAIChat(unknown="strip"),
        POOR,
        {**ASKED, "x_debug": 1},
    ),
    (
        "openai_chat, unknown: strip",
        OpenAIChat(unknown="strip"),
        POOR,
        {**ASKED, "logProbs": True},
    ),
]
ANSWER: Final = {
    "id": "c1",
    "model": "m-2024-08-06",
    "system_fingerprint": "fp_30d2f053",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Paris", "reasoning": "France, so"},
            "logprobs": {"content": [{"token": "Paris", "logprob": -0.087123}]},
            "finish_reason": "stop",
            "token_ids": [12366],
        }
    ],
    "usage": {"total_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}},
}
_WRITTEN: Final = orjson.dumps(ANSWER)
_WIDTHS: Final = (46, 14, 36, 0)
TIERS: Final[Mapping[str, Edits]] = {
    "text, usage, logprobs to a percent": tier(
        {"logprobs": [Round(digits=2)], "text": (), "usage": ()}
    ),
    "text": tier({"text": ()}),
}


def main() -> None:
    name, *count = sys.argv[1:]
    print("\n".join(gate(*map(int, count)) if name == "gate" else answer()))


def gate(count: int = len(GATE)) -> list[str]:
    """Requests, what goes on of each, and what was changed or why it was refused."""
    return [line for example in GATE[:count] for line in [*_gated(*example), ""]][:-1]


def _gated(title: str, dialect: Any, terms: Terms, request: dict[str, Any]) -> list[str]:
    body = orjson.dumps(request)
    shown = [title, f"  asked    {body.decode()}"]
    try:
        asked = dialect.read(body, {"model": "m"}, terms)
    except ClientError as error:
        return [*shown, f"  refused  {error}"]
    return [*shown, f"  goes on  {asked.body.decode()}", f"  changed  {', '.join(asked.changed)}"]


def answer() -> list[str]:
    """Each place of an answer as it came, and as it leaves at two tiers."""
    columns = [ANSWER, *map(_served, TIERS.values())]
    heads = ["", "before", *TIERS]
    rows = [
        [place, *(" ".join(map(_json, values(column, place))) or "-" for column in columns)]
        for place in dict.fromkeys(leaves(ANSWER))
    ]
    return ["  ".join(map(str.ljust, row, _WIDTHS)).rstrip() for row in [heads, *rows]]


def _served(edits: Edits) -> Any:
    rewriter = body_rewriter(Document(CHAT.answer()), {}, Rewrite(edits, "m"), 1 << 20)
    return orjson.loads(b"".join(filter(None, [*rewriter.feed(_WRITTEN), *rewriter.finish()])))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


if __name__ == "__main__":
    main()
