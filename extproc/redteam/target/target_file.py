"""The file that describes a gateway of the user's own, in YAML.

Rule: it is read strictly, and holds no API key: it says where one is, ``env:NAME`` or ``file:PATH``
(beside this file; a file may hold several, a line each).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from extproc.declared_api.description import Answer, Ask, Count, Strict, Url

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}\Z")]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class Reference(Strict, frozen=True):
    """The model past the gateway, or with a key that gets all of an answer."""

    url: Url
    keys: Sequence[str] = ()


class Price(Strict, frozen=True):
    """What those who attack pay."""

    per_thousand_queries: Amount = 0.0
    per_key: Amount = 0.0
    currency: str = "$"


class TargetFile(Strict, frozen=True):
    """All of it."""

    name: Name
    kind: Literal["classifier", "embedding"]
    url: Url
    request: Ask
    answer: Answer
    inputs: str
    """Inputs like the model's own, half of which the judge gets: .npy, .npz or .csv of a row each;
    of an embedding model .txt, a text each line."""
    other_inputs: str = ""
    """Natural inputs of another kind, in the same form."""
    keys: Sequence[str] = ()
    classes: Count = 2
    dimensions: Count = 384
    """Of an embedding."""
    low: float | Sequence[float] | None = None
    high: float | Sequence[float] | None = None
    """Bounds of inputs; without them, those of ``inputs``."""
    linear: bool = False
    reference: Reference | None = None
    prices: Price = Price()
    parallel: Count = 16
    """Requests under way at once."""


def read(path: Path) -> TargetFile:
    """Raise ValueError, in one sentence with its place, where it is none."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(document, TargetFile)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ValueError(f"{path}{line}: {error.problem}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(f"{path}: {str(error).splitlines()[0]}") from error
