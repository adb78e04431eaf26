"""Where a request goes: a method and a template of paths.

Rule: a path has one reading, whatever stands behind us; what servers may read in two ways is no
path of ours.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote

from extproc.credentials import ANY, Requirement
from extproc.dialects import Dialect
from extproc.information import UNSIZED, Sizes
from extproc.validation import Contract

_PARAMETER = re.compile(r"\{(\w+)\}")
_BEFORE_VERB = re.compile(r"\{(\w+)\}:")
_SAFE_VALUE = re.compile(r"(?!\.\.?\Z)[\w.:@+ -]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template, and the dialect spoken there."""

    method: str
    path: str
    """A template: ``{name}`` stands for one path segment, ``{name}:verb`` for one that ends so."""
    dialect: Dialect
    requirement: Requirement = ANY
    contract: Contract | None = None
    """What its requests must be, beside what the dialect says."""
    sizes: Sizes = UNSIZED
    """What bits are counted by before there is an answer."""
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.method} {self.path}")

    def match(self, path: str) -> dict[str, str] | None:
        """The template's parameters, percent-decoded once, or None where the path is another.

        A parameter that no model name needs to be (with slashes, controls or a second layer of
        percent-encoding, not ASCII, or a dot segment of RFC 3986) does not match: servers behind us
        read such names in different ways.  Nor does a colon before the verb, which they may look
        for from either end.
        """
        found = _pattern(self.path).fullmatch(path)
        if found is None:
            return None
        values = {name: unquote(value) for name, value in found.groupdict().items()}
        if any(":" in values[name] for name in _BEFORE_VERB.findall(self.path)):
            return None
        return values if all(map(_SAFE_VALUE.fullmatch, values.values())) else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Only called with templates of the configuration, so that the cache is bounded by it."""
    parts = re.split(_PARAMETER, template)  # literals and parameter names alternate
    return re.compile(
        "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )
