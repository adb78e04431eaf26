"""The body of a request with places in it that inputs are put into."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

PLACES: Final = ("inputs", "input", "flat", "count")
"""What it may hold, in double braces: all inputs as a list of lists (or of texts), the one input,
all numbers as one list, and how many inputs there are."""
_PLACE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    body: str

    def unknown(self) -> list[str]:
        """Places that nothing is put into."""
        return sorted(set(_PLACE.findall(self.body)) - set(PLACES))

    def filled(self, inputs: Sequence[Any]) -> bytes:
        """With inputs, of which there is one at least.

        Raise TypeError where they are no rows, and the template wants their numbers.
        """
        values = {"inputs": inputs, "input": inputs[0], "count": len(inputs)}
        if "flat" in _PLACE.findall(self.body):
            values["flat"] = [number for row in inputs for number in row]
        return _PLACE.sub(lambda match: orjson.dumps(values[match[1]]).decode(), self.body).encode()
