"""The tokens of a model, as the file of its tokenizer spells them.

Rule: nothing is loaded or run; what is not understood is refused.  Formats: Hugging Face's
``tokenizer.json`` (https://huggingface.co/docs/tokenizers) of byte-level BPE, as Radford et al.
2019 spell bytes, and of SentencePiece's kind, whose space is U+2581; and ``.tiktoken``, a token in
base64, a space and its rank on each line (https://github.com/openai/tiktoken).
"""

from base64 import b64decode
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import pairwise
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from extproc.errors import Malformed

LARGEST: Final = 64 << 20
"""Octets of a file; those of the largest models have half of it."""
MOST: Final = 1 << 20
"""Tokens of a file; those of the largest models have a quarter of it."""

_Id = Annotated[int, Meta(ge=0, lt=1 << 32)]
_Ids = Annotated[dict[str, _Id], Meta(max_length=MOST)]
_Scores = Annotated[list[tuple[str, float]], Meta(max_length=MOST)]


class _Model(Struct):
    vocab: _Ids | _Scores


class _Added(Struct):
    content: str


class _Tokenizer(Struct):
    model: _Model
    added_tokens: tuple[_Added, ...] = ()
    """Markup of prompts, and no text."""
    pre_tokenizer: Raw = Raw(b"null")
    decoder: Raw = Raw(b"null")


def spellings(content: bytes) -> dict[str, int]:
    """Ids by the text that each token writes, in order of the ids: usual ones were learned first.

    Without markup, and tokens that write parts of a character.  Raise Malformed, which says what is
    wrong, and where.
    """
    is_json = content.lstrip()[:1] == b"{"
    found = _of_json(content) if is_json else _of_lines(content)
    every = sorted(found, key=lambda token: token[1])
    for (_, one), (_, other) in pairwise(every):
        if one == other:
            raise Malformed(f"two tokens have the id {one}")
    texts = {text: token for text, token in every if text}
    if not any(text[0] == " " and text[1:].isalpha() for text in texts):
        raise Malformed("no token is a word with a space before it, as in BPE and SentencePiece")
    return texts


def _of_json(content: bytes) -> list[tuple[str, int]]:
    try:
        read = msgspec.json.decode(content, type=_Tokenizer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"no tokenizer.json: {error}") from error
    vocab, added = read.model.vocab, {each.content for each in read.added_tokens}
    pieces: Iterable[tuple[str, int]]
    if isinstance(vocab, dict):
        pieces = vocab.items()
    else:
        pieces = ((piece, place) for place, (piece, _) in enumerate(vocab))
    of_bytes = any(b'"ByteLevel"' in bytes(step) for step in (read.pre_tokenizer, read.decoder))
    spelled = _of_bytes if of_bytes else _of_sentencepiece
    return [("" if piece in added else spelled(piece), token) for piece, token in pieces]


def _of_bytes(piece: str) -> str:
    try:
        return _text(bytes(_BYTES[character] for character in piece))
    except KeyError:
        return ""


def _of_sentencepiece(piece: str) -> str:
    return piece.replace("\u2581", " ")


def _of_lines(content: bytes) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(BytesIO(content), 1):
        if number > MOST:
            raise Malformed(f"line {number}: over {MOST} tokens")
        try:
            token, rank = line.split()
            octets = b64decode(token, validate=True)
            known = msgspec.json.decode(rank, type=_Id)
        except (ValueError, msgspec.MsgspecError) as error:
            wrong = "neither JSON, nor a token in base64, a space and its rank"
            raise Malformed(f"line {number}: {wrong}") from error
        yield _text(octets), known


def _text(octets: bytes) -> str:
    """Empty where it is a part of a character."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return ""


def _byte_alphabet() -> dict[str, int]:
    """A byte is spelled as its Latin-1 character if that is visible, else from U+0100 up.

    The demo's model has the same for itself, since its server imports nothing of the sidecar.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(0x100) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {
        chr(0x100 + place): byte for place, byte in enumerate(hidden)
    }


_BYTES: Final = _byte_alphabet()
