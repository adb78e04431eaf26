"""Rules for the request fields that ask for a feature: tools, choices, how many tokens are written.

Rule: a field that asks for more than is granted is refused, not lowered, since an answer with fewer
choices or without a tool would not be the one that was asked for.  How a field can ask stands
here once, for every API: what is empty asks for nothing, and what is no whole number of at least 1
(Ollama's ``num_predict: -1`` is no end at all) asks for any.  The default of a number of tokens is
the model server's own idea, so where the tenant has a maximum it is set (``Object.bounded``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from extproc.dialects.gate import PASS, Changes, Json, Object, Rule, Terms, gate_of
from extproc.entitlement import Feature, unavailable


@dataclass(frozen=True, slots=True)
class Tools:
    """Refused where tools are not granted, unless it is empty."""

    rule: Rule = PASS

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if value and not changes.terms.entitlement.tools:
            raise unavailable("tools")
        return self.rule.admit(value, changes, place)


@dataclass(frozen=True, slots=True)
class Choices:
    """Refused above what is granted of `choices`."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        most = changes.terms.entitlement.choices
        if most is not None and value is not None and not _within(value, most):
            raise unavailable("choices")
        changes.noted.note_choices(value)
        return value


@dataclass(frozen=True, slots=True)
class Tokens:
    """Refused above what is granted of `max_tokens`."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        most = changes.terms.entitlement.max_tokens
        if most is not None and value is not None and not _within(value, most):
            raise unavailable("max_tokens")
        changes.noted.note_tokens(value)
        return value


def _within(value: Json, most: int) -> bool:
    return type(value) is int and 1 <= value <= most


TOOLS: Final = Tools()
CHOICES: Final = Choices()
TOKENS: Final = Tokens()


def features(read: Callable[[bytes, Mapping[str, str], Terms], object]) -> set[Feature]:
    """What the fields of a dialect's requests can ask for."""
    gate, found = gate_of(read), set[Feature]()
    rules: list[object] = [gate]
    while rules:
        rule = rules.pop()
        found |= {feature for kind, feature in _FEATURES.items() if isinstance(rule, kind)}
        inner = rule.fields.values() if isinstance(rule, Object) else [getattr(rule, "rule", None)]
        rules += [each for each in inner if each is not None]
    return found


_FEATURES: Final[Mapping[type, Feature]] = {
    Tools: "tools",
    Choices: "choices",
    Tokens: "max_tokens",
}
