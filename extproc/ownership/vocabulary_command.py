"""``extproc ownership vocabulary``: the file of a ``green_list``, from a model's own tokenizer.

Exit codes as of every command (``extproc --help``): 4 where a file cannot be read, or has too few
words.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extproc.errors import ConfigError, Malformed

if TYPE_CHECKING:
    from extproc.marks.vocabulary import Vocabulary

_NAME = "name the model's tokenizer.json, or its .tiktoken"

Tokenizer = Annotated[
    Path,
    typer.Argument(
        help="The model's tokenizer.json, or its .tiktoken.", show_default=False, readable=False
    ),
]
Texts = Annotated[
    list[Path] | None,
    typer.Option(
        help="What the model wrote unmarked: a text each; of JSON lines, one a line: a string, or "
        "an object's ``text``.  Without, the tokenizer's own order says what is usual."
    ),
]
# The bounds are those of marks/vocabulary.py, which is not loaded for --help.
Words = Annotated[int, typer.Option(help="At most so many.", min=30, max=300)]


def vocabulary(tokenizer: Tokenizer, texts: Texts = None, words: Words = 100) -> None:
    """Print a vocabulary for `green_list`, the most usual words first, a word on each line.

    Look it through before you use it: which words may come more often only you know.
    """
    from extproc.marks.vocabulary import made
    from extproc.ownership.text_report import read
    from extproc.ownership.word_tokens import counted, ranked, word_tokens

    tokens = word_tokens(_spellings(tokenizer))
    said = [text for path in texts or () for text in read(path)]
    try:
        found = made(tokens, counted(said) if texts else ranked(tokens), words)
    except Malformed as error:
        remedy = "name more texts" if texts else "name texts (--texts), or another tokenizer"
        raise ConfigError(f"{tokenizer}: {error}; {remedy}") from error
    _print(found)


def _spellings(path: Path) -> dict[str, int]:
    from extproc.ownership.tokenizer_file import LARGEST, spellings

    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); {_NAME}") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{path} has over {LARGEST >> 20} MiB; {_NAME}")
    try:
        return spellings(content)
    except Malformed as error:
        raise ConfigError(f"{path}: {error}; {_NAME}") from error


def _print(found: "Vocabulary") -> None:
    import msgspec

    lines = ",\n".join(msgspec.json.encode(each).decode() for each in found.words)
    print(f'{{"words": [\n{lines}\n]}}')
    tokens = sum(len(each.tokens) for each in found.words)
    told = f"{len(found.words)} words, {tokens} tokens"
    print(f"{told}; take out negations, names, and parts of words, then use it", file=sys.stderr)
