"""Text to tokens and back: byte-level BPE, learned from the corpus at start.

Rule: every text can be encoded, and every token but the end is a known string of bytes.  Sennrich
et al., 2016, "Neural Machine Translation of Rare Words with Subword Units".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

SIZE: Final = 1024
END: Final = 0

_END_TOKEN: Final = "<|end|>"  # noqa: S105 - a token of text


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``spellings[id]`` is the token's bytes; the end is spelled with none."""

    tokenizer: Tokenizer
    spellings: Sequence[bytes]

    @classmethod
    def learn(cls, paragraphs: Iterable[str]) -> Self:
        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
        trainer = BpeTrainer(
            vocab_size=SIZE,
            special_tokens=[_END_TOKEN],
            initial_alphabet=ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(paragraphs, trainer)
        # A prompt that spells the end token out is text like any other.
        tokenizer.encode_special_tokens = True
        return cls(tokenizer, [_spelling(tokenizer, token) for token in range(SIZE)])

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids


def _spelling(tokenizer: Tokenizer, token: int) -> bytes:
    if token == END:
        return b""
    return bytes(_BYTES[character] for character in tokenizer.id_to_token(token) or "")


def _byte_alphabet() -> dict[str, int]:
    """ByteLevel writes a byte as its Latin-1 character if that is visible, else from U+0100 up."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(0x100) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {
        chr(0x100 + place): byte for place, byte in enumerate(hidden)
    }


_BYTES: Final = _byte_alphabet()
