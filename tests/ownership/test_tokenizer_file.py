"""What is read is what the tokenizers themselves write."""

from collections.abc import Callable

import pytest
from tokenizers import Tokenizer

from extproc.errors import Malformed
from extproc.ownership import tokenizer_file
from extproc.ownership.tokenizer_file import spellings
from tests.ownership.tokenizers import (
    MARKUP,
    NAMES,
    changed,
    file,
    of_bytes,
    of_pieces,
    of_sentencepiece,
    of_unigrams,
    tiktoken,
)

Made = Callable[[], Tokenizer]
KINDS = [of_bytes, of_sentencepiece, of_unigrams]


@pytest.mark.parametrize("made", KINDS)
def test_a_word_is_written_by_the_token_that_is_read(made: Made) -> None:
    """Of a word within a text, as the tokenizer itself encodes it."""
    read, whole = spellings(file(made())), 0
    before = made().encode("before").ids
    for name in NAMES:
        ids = made().encode(f"before {name}").ids[len(before) :]
        whole += len(ids) == 1
        assert len(ids) > 1 or read[f" {name}"] == ids[0]
    assert whole > 25


@pytest.mark.parametrize("made", KINDS)
def test_tokens_are_in_the_order_of_their_ids_without_markup(made: Made) -> None:
    read = spellings(file(made()))
    assert list(read.values()) == sorted(read.values())
    assert MARKUP in made().get_vocab()
    assert MARKUP not in read


def test_bytes_are_spelled_as_what_they_are() -> None:
    """Planted: as it is spelled, a letter of two bytes is two others."""
    read = spellings(file(of_bytes()))
    assert " größe" in read
    assert not any("Ã" in text or "Ġ" in text for text in read)
    assert {"\n", "a", " "} <= set(read)


def test_ranks_are_ids() -> None:
    tokens = [b"a", b"\xc3", b" word", " größe".encode(), b"\xff\xfe", b" "]
    read = spellings(tiktoken(tokens))
    assert read == {"a": 0, " word": 2, " größe": 3, " ": 5}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "no token is a word with a space before it"),
        (tiktoken([b"word"]), "no token is a word with a space before it"),
        (file(of_pieces()), "no token is a word with a space before it"),
        (tiktoken([b" word"]) + b"IHdvcmQ= 1 2\n", "line 2: neither JSON, nor a token in base64"),
        (b"IHdvcmQ= -1\n", "line 1: neither"),
        (b"IHdvcmQ= 4294967296\n", "line 1: neither"),
        (b"IHdv!cmQ= 1\n", "line 1: neither"),
        (b"\x0a\x0e\x0a\x05<unk>", "line 1: neither"),  # SentencePiece's own .model
        (b"IHdvcmQ= 1\nIHdvcg== 1\n", "two tokens have the id 1"),
        (b'{"the": 1}', "missing required field `model`"),
        (b'{"model": {"vocab": {"a": -1}}}', r"no tokenizer.json: .*\$.model.vocab"),
        (b'{"model": {"vocab": [["a", "b"]]}}', r"no tokenizer.json: .*\$.model.vocab"),
        (changed(of_bytes(), vocab=None), r"\$.model.vocab"),
        (b'{"model": {"vocab": {"\xff": 1}}}', "no tokenizer.json"),
        (b'{"decoder": ' + b"[" * 100_000, "no tokenizer.json"),
        (b'{"model": ', "no tokenizer.json"),
    ],
)
def test_what_cannot_be_read_says_where(content: bytes, wrong: str) -> None:
    with pytest.raises(Malformed, match=wrong):
        spellings(content)


def test_lines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_file, "MOST", 2)
    assert len(spellings(tiktoken([b"a", b" word"]))) == 2
    with pytest.raises(Malformed, match="line 3: over 2 tokens"):
        spellings(tiktoken([b"a", b" word", b"b"]))


def test_a_vocabulary_of_json_is_bounded() -> None:
    scores = b",".join([b'["a",0]'] * (tokenizer_file.MOST + 1))
    with pytest.raises(Malformed, match="length <= 1048576"):
        spellings(b'{"model": {"vocab": [' + scores + b"]}}")
