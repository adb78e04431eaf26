"""Finds numbers of full precision, wherever in an answer they stand.

Rule: two numbers are the same figure if their first eight significant digits are; sign, power of
ten and notation do not matter, so that a number cannot hide in another field, in a string or in
base64.  Numbers of fewer than six digits are no figures: rounded ones would be found by chance.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from extproc.demo.answer import Answer, Json, decoded

_COMPARED: Final = 8
_FEWEST: Final = 6

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


def figures(values: Iterable[float]) -> set[str]:
    """The significant digits of those values that have six and more."""
    return _figures(repr(float(value)) for value in values)


def shown(answer: Answer) -> set[str]:
    """The figures in the bytes of an answer, those inside of base64 included."""
    inside = [value for text in _embedded(answer) for value in decoded(text)]
    return figures(inside) | _figures([answer.body.decode(errors="replace")])


def _figures(texts: Iterable[str]) -> set[str]:
    numbers = (number for text in texts for number in _NUMBER.findall(text))
    digits = (number.replace(".", "").strip("0") for number in numbers)
    return {each[:_COMPARED] for each in digits if len(each) >= _FEWEST}


def _embedded(answer: Answer) -> Iterator[str]:
    """The vectors that are written in base64."""
    try:
        documents = answer.documents
    except ValueError:  # cut off, or no JSON: then its text is all there is
        return
    for document in documents:
        for item in _items(document):
            if isinstance(item, dict) and isinstance(item.get("embedding"), str):
                yield item["embedding"]


def _items(document: Json) -> list[Json]:
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, list) else []
