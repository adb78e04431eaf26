"""Tokenizers that learned real words, in each format of their files."""

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.marks.wordlists import words

MARKUP: Final = "<|end|>"
NAMES: Final = [*words(40), "größe", "été"]
TEXTS: Final = [
    f"{name.capitalize()} {name} {' '.join(NAMES[: at + 1])}, 12 {name}."
    for at, name in enumerate(NAMES)
]


def _trained(tokenizer: Tokenizer, trainer: Any) -> Tokenizer:
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return tokenizer


@cache
def of_bytes() -> Tokenizer:
    """As GPT-2's."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return _trained(
        made,
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=[MARKUP],
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )


@cache
def of_sentencepiece() -> Tokenizer:
    """As Llama 2's."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return _trained(
        made,
        trainers.BpeTrainer(vocab_size=400, special_tokens=[MARKUP], show_progress=False),
    )


@cache
def of_unigrams() -> Tokenizer:
    """As T5's."""
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return _trained(
        made,
        trainers.UnigramTrainer(
            vocab_size=300, special_tokens=[MARKUP], unk_token=MARKUP, show_progress=False
        ),
    )


@cache
def of_pieces() -> Tokenizer:
    """As BERT's, which writes no spaces."""
    made = Tokenizer(models.WordPiece(unk_token=MARKUP))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return _trained(
        made,
        trainers.WordPieceTrainer(vocab_size=300, special_tokens=[MARKUP], show_progress=False),
    )


def file(tokenizer: Tokenizer) -> bytes:
    """Its tokenizer.json."""
    return tokenizer.to_str().encode()


def tiktoken(tokens: Sequence[bytes]) -> bytes:
    """The first has rank 0."""
    return b"".join(b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def changed(tokenizer: Tokenizer, **model: Any) -> bytes:
    """With other members of ``model``."""
    read = json.loads(tokenizer.to_str())
    read["model"] |= model
    return json.dumps(read).encode()
