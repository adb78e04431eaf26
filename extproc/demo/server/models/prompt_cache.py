"""Prompts already encoded, kept across requests and callers, as real servers keep prefixes.

Rule: a prefix counts as cached only if it was, and is shared by all who send the same salt: the
side channel of Gu et al., 2025, "Auditing Prompt Caching in Language Model APIs", with vLLM's
``cache_salt`` as the remedy.
"""

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from extproc.demo.server.models.vocabulary import Vocabulary

_MAX_ENTRIES: Final = 1024
_TWO_BYTES: Final = "H"


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids, and how many of them, from the first, were in the cache."""

    tokens: Sequence[int]
    cached: int


@dataclass(slots=True)
class PromptCache:
    """Least recently used first; not for several threads at once."""

    vocabulary: Vocabulary
    _entries: OrderedDict[bytes, Sequence[int]] = field(default_factory=OrderedDict)

    def encode(self, texts: Sequence[str], salt: str) -> Prompt:
        """Encode the texts as one prompt; each is cached under all the texts before it."""
        key = sha256(salt.encode()).digest()
        tokens: list[int] = []
        cached, unbroken = 0, True
        for place, text in enumerate(texts):
            key = sha256(key + text.encode()).digest()
            unbroken = unbroken and key in self._entries
            tokens += self._encoded(key, f" {text}" if place else text)
            if unbroken:
                cached = len(tokens)
        return Prompt(tokens, cached)

    def _encoded(self, key: bytes, text: str) -> Sequence[int]:
        if key not in self._entries:
            self._entries[key] = array(_TWO_BYTES, self.vocabulary.encode(text))
        self._entries.move_to_end(key)
        while len(self._entries) > _MAX_ENTRIES:
            self._entries.popitem(last=False)
        return self._entries[key]
