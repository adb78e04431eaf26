"""Texts that come with every Python: its language reference, and what its library says of itself.

Rule: nothing is downloaded; another version of Python has other texts.  A text is a sentence, told
with the document it stands in.
"""

import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pydoc_data.topics import topics
from typing import Final

_WORDS: Final = range(6, 19)
"""As many as a question to a service has."""
_PROSE: Final = 0.88
"""The least share of letters and blanks; code, grammars and tables have less."""
_QUOTED: Final = re.compile(r'"""(.+?)"""', re.DOTALL)
_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_PARAGRAPH: Final = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Text:
    words: str
    document: str


def reference() -> list[Text]:
    """Distinct sentences of the language reference, about 1,000 of 70 documents."""
    return _distinct(
        Text(sentence, name) for name in sorted(topics) for sentence in _sentences(topics[name])
    )


def library() -> list[Text]:
    """Distinct sentences of the docstrings of the standard library's modules, 5,000 and more."""
    return _distinct(
        Text(sentence, f"{path.parent.name}/{path.name}")
        for path in modules()
        for quoted in _QUOTED.findall(path.read_text(encoding="utf-8", errors="replace"))
        for sentence in _sentences(quoted)
    )


def modules() -> list[Path]:
    """Source files of the standard library, in order; of packages those on the first level."""
    root = Path(sysconfig.get_path("stdlib"))
    inside = [path for path in sorted(root.glob("*/*.py")) if path.parent.name not in _LEFT_OUT]
    return [*sorted(root.glob("*.py")), *inside]


_LEFT_OUT: Final = {"site-packages", "dist-packages", "test", "pydoc_data", "__phello__"}


def _distinct(found: Iterator[Text]) -> list[Text]:
    first: dict[str, Text] = {}
    for text in found:
        first.setdefault(text.words.casefold(), text)
    return list(first.values())


def _sentences(text: str) -> Iterator[str]:
    for paragraph in _PARAGRAPH.split(text):
        for sentence in _END.split(" ".join(paragraph.split())):
            if len(sentence.split()) in _WORDS and _prose(sentence) >= _PROSE:
                yield sentence


def _prose(text: str) -> float:
    return sum(character.isalpha() or character == " " for character in text) / len(text)
