"""What an answer tells of its tokens is counted at every tier, however it is read."""

from typing import Final

from extproc.prediction import Usage
from tests.corpus.exchanges import Recorded
from tests.laws.serving import CORPUS, NOTHING, OPEN, Kinds, every_exchange, every_tier, serve, ways

TELLING: Final = frozenset(
    {
        "anthropic_messages",
        "cohere_chat",
        "cohere_embed",
        "gemini_embed",
        "gemini_generate",
        "ollama_chat",
        "ollama_embed",
        "ollama_generate",
        "openai_chat",
        "openai_completions",
        "openai_decisions",
        "openai_embeddings",
        "openai_responses",
        "openai_transcriptions",
        "rerank",
        "triton_generate",
        "vertex_embeddings",
        "vllm_classify",
        "vllm_pooling",
        "vllm_score",
    }
)
"""Dialects whose answers tell how many tokens they took."""


@every_exchange
@every_tier
def test_the_tier_has_no_say_in_what_is_counted(exchange: Recorded, kinds: Kinds) -> None:
    counted = serve(exchange, OPEN).usage
    for whole in ways(exchange):
        served = serve(exchange, kinds, whole=whole)
        # What cannot be served at this tier at all is not read to its end.
        assert served.usage == counted or not served.released


def test_every_dialect_that_tells_counts_is_read() -> None:
    found = {one.tag for one in CORPUS.values() if serve(one, NOTHING).usage != Usage()}
    assert found == TELLING
