"""The demo's language model: 1,024 tokens, and a hidden size that is for the attacker to find.

Rule: prompts end differently, since the model reads their last four tokens; there are many more
than the hidden state has dimensions.
"""

from typing import Final

from extproc.redteam.victims.texts import reference
from extproc.redteam.victims.victim import LanguageVictim

PROMPTS: Final = 1_000

_WORDS: Final = 6
"""Of a sentence that are told; what follows is for the model to say."""


def victim() -> LanguageVictim:
    beginnings = (" ".join(text.words.split()[:_WORDS]) for text in reference())
    return LanguageVictim(
        name="tiny-lm",
        about=(
            "A language model of 1,024 tokens and four tokens of context on the Python language"
            " reference; its hidden state has 64 dimensions, which it tells nobody."
        ),
        vocabulary=1_024,
        hidden=64,
        prompts=tuple(dict.fromkeys(beginnings))[:PROMPTS],
        parameters={"model": "tiny-lm"},
    )
