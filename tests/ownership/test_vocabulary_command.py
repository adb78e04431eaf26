"""From a tokenizer's file to requests that are marked by what was made of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from extproc.marks.vocabulary import read
from extproc.ownership.tokenizer_file import LARGEST
from tests.config.test_texts import LIST, compiled, policy, sent
from tests.ownership.test_command import run
from tests.ownership.tokenizers import (
    TEXTS,
    file,
    of_bytes,
    of_sentencepiece,
    of_unigrams,
    tiktoken,
)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(file(of_bytes()))
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    return path


def test_requests_are_marked_by_the_vocabulary_that_is_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tokenizer: Path, texts: Path
) -> None:
    code, out, told = run(capsys, "vocabulary", str(tokenizer), "--texts", str(texts))
    assert code == 0
    (tmp_path / "words.json").write_text(out)
    listed = sent(policy(compiled(tmp_path, LIST), "beta"))["logit_bias"]
    words = {each.word: each for each in read(out.encode()).words}
    assert f"{len(words)} words" in told
    written = {of_bytes().decode([int(token)]).strip().casefold() for token in listed}
    assert written < set(words)
    assert len(written) > 5
    for word, each in words.items():
        assert {of_bytes().decode([token]).strip().casefold() for token in each.tokens} == {word}
        assert of_bytes().decode([each.tokens[0]]).casefold() == f" {word}"
        assert each.usual == sum(text.casefold().count(word) for text in TEXTS)


@pytest.mark.parametrize("made", [of_sentencepiece, of_unigrams])
def test_words_of_every_kind_of_tokenizer_are_found(
    capsys: pytest.CaptureFixture[str], tokenizer: Path, texts: Path, made: Callable[[], Tokenizer]
) -> None:
    tokenizer.write_bytes(file(made()))
    code, out, _ = run(capsys, "vocabulary", str(tokenizer), "--texts", str(texts), "--words", "30")
    assert (code, len(read(out.encode()).words)) == (0, 30)


def test_without_texts_the_order_of_the_tokens_counts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = [f"word{'abcdefgh'[at // 8]}{'abcdefgh'[at % 8]}" for at in range(64)]
    path = tmp_path / "model.tiktoken"
    path.write_bytes(tiktoken([f" {name}".encode() for name in names]))
    code, out, _ = run(capsys, "vocabulary", str(path), "--words", "40")
    made = read(out.encode()).words
    assert (code, [each.word for each in made]) == (0, names[:40])
    assert [each.tokens for each in made] == [(at,) for at in range(40)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none"], "cannot be read (No such file or directory); name the model's tokenizer.json"),
        (["."], "cannot be read (Is a directory); name the model's tokenizer.json"),
        (["large"], "large has over 64 MiB; name the model's tokenizer.json"),
        (["merges"], "merges: line 1: neither JSON, nor a token in base64, a space and its rank; "),
        (["few"], "0 words are there that a token writes; 30 are needed; name texts (--texts), or"),
        (
            ["tokenizer.json", "--texts", "short.txt"],
            "1 words are there that a token writes; 30 are needed; name more texts",
        ),
        (
            ["tokenizer.json", "--texts", "none.txt"],
            "none.txt cannot be read (No such file or directory); name a file of texts",
        ),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tokenizer: Path,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tokenizer.parent)
    Path("large").touch()
    os.truncate("large", LARGEST + 1)
    Path("merges").write_text("#version: 0.2\n")
    Path("few").write_bytes(tiktoken([b" few"]))
    Path("short.txt").write_text("bal bal")
    code, out, error = run(capsys, "vocabulary", *arguments)
    assert (code, out) == (4, "")
    assert said in error
    assert error.count("\n") == 1
