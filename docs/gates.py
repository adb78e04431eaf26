"""What becomes of a request, in words: of each field, by the gate that a dialect reads it with."""

from collections.abc import Iterator

from docs.words import Row, as_json, at, own_words
from extproc.dialects.gate import (
    Alternatives,
    Each,
    Forced,
    Granted,
    Object,
    Only,
    Pass,
    Repeatable,
    Rule,
    Taking,
    Within,
)


def rules(rule: Rule, place: str) -> Iterator[Row]:
    match rule:
        case Object(known, forced, bounded):
            for name, inner in known.items():
                yield from rules(inner, at(place, name))
            for name in bounded[:1]:
                told = "set to the tenant's `max_tokens`, where it has any and nothing is said"
                yield at(place, name), told
            for name, value in forced.items():
                yield at(place, name), f"set to {as_json(value)} where it is not asked for"
        case Each(inner):
            yield from rules(inner, f"{place}[]")
        case Granted(kind, inner):
            yield from _granted(rule, kind, inner, place)
        case _:
            yield place, _rule(rule)


def _granted(rule: Rule, kind: str, inner: Rule, place: str) -> Iterator[Row]:
    """A whole part of the tree may be for one kind."""
    if not isinstance(inner, Object | Each):
        yield place, _rule(rule)
        return
    for below, what in rules(inner, place):
        yield below, f"taken out unless the tier grants `{kind}`; {what}"


def _rule(rule: Rule) -> str:
    match rule:
        case Pass():
            return "passes"
        case Granted(kind, inner):
            return f"taken out unless the tier grants `{kind}`; then {_rule(inner)}"
        case Taking():
            return "taken out"
        case Only(values):
            return f"only {' or '.join(map(as_json, values))}; any other value is refused"
        case Forced(value):
            return f"always {as_json(value)}"
        case Within(least, most):
            return _bounds(least, most)
        case Alternatives():
            return "a number, lowered to what the tier shows"
        case Repeatable(inner, otherwise):
            return f"{_rule(inner)}; with `repeatable: false`: {_rule(otherwise)}"
        case Object() | Each():
            return "; ".join(f"`{place}`: {what}" for place, what in rules(rule, ""))
        case _:
            return own_words(rule)


def _bounds(least: float | None, most: float | None) -> str:
    bounds = [f"raised to {least}" if least is not None else "",
              f"lowered to {most}" if most is not None else ""]  # fmt: skip
    return f"a number, {' and '.join(filter(None, bounds))}".rstrip(", ")
