"""The file that describes a gateway of the user's own, in YAML.

Rule: it is read strictly, and holds no API key: it says where one is, ``env:NAME`` or ``file:PATH``
(beside this file; a file may hold several, a line each).
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}\Z")]
Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/?#]+(/[^?#]*)?\Z")]
Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown fields are refused."""


class Ask(_Strict, frozen=True):
    """A request; ``{{inputs}}``, ``{{input}}``, ``{{flat}}`` and ``{{count}}`` in the body are
    filled in as JSON, ``{{key}}`` in a header field is the API key (without one, it is sent as a
    bearer token).
    """

    path: Annotated[str, msgspec.Meta(pattern="^/")]
    body: str
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Mapping[str, str] = msgspec.field(
        default_factory=lambda: {"content-type": "application/json"}
    )
    batch: Count = 1
    """Inputs of one request, at most."""


class Answer(_Strict, frozen=True):
    """Places in the answer, as `adapters.json_place` reads them."""

    scores: str = ""
    label: str = ""
    labels: Sequence[str | int] = ()
    """What the API calls the classes, in the order of the scores; without it, numbers from 0."""
    vectors: str = ""


class Reference(_Strict, frozen=True):
    """The model past the gateway, or with a key that gets all of an answer."""

    url: Url
    keys: Sequence[str] = ()


class Price(_Strict, frozen=True):
    """What those who attack pay."""

    per_thousand_queries: Amount = 0.0
    per_key: Amount = 0.0
    currency: str = "$"


class TargetFile(_Strict, frozen=True):
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


def keys(path: Path, places: Sequence[str], environ: Mapping[str, str] = os.environ) -> list[str]:
    """The API keys that a target file at ``path`` says the places of.

    Raise ValueError where there is none, without telling what was there.
    """
    return [key for at, place in enumerate(places) for key in _keys(path, at, place, environ)]


def _keys(path: Path, at: int, place: str, environ: Mapping[str, str]) -> list[str]:
    kind, _, name = place.partition(":")
    match kind:
        case "env" if environ.get(name):
            return [environ[name]]
        case "env":
            raise ValueError(f"{path}: keys[{at}]: the environment has no {name}")
        case "file":
            return _lines(path, at, path.parent / name)
        case _:
            raise ValueError(
                f"{path}: keys[{at}]: write env:NAME or file:PATH: who reads this file would have "
                "the key"
            )


def _lines(path: Path, at: int, file: Path) -> list[str]:
    try:
        found = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: keys[{at}]: {file} cannot be read") from error
    keys = [line for line in found if line]
    if not keys:
        raise ValueError(f"{path}: keys[{at}]: {file} holds no key")
    return keys
