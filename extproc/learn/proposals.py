"""What the fields of sample answers seem to be: a kind for each, and what speaks for it.

Rule: in doubt the kind that tells less.  Values that stand at one place, in all samples and all
items, are judged together: numbers that add up to 1 are probabilities, long arrays of them an
embedding, other numbers with fractions a score; short texts are labels, long ones text.  A place
of which nothing can be said is proposed as dropped, which is what happens to it without a rule.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from extproc.dialects.cell import check_labels
from extproc.dialects.declared import DeclaredKind, Flaw, declared
from extproc.dialects.json_path import ANY, EACH, LONGEST, Path, shown, writable
from extproc.errors import UpstreamError

_TOLERANCE: Final = 1e-3
"""By which probabilities may miss a sum of 1."""
_EMBEDDING: Final = 16
"""Numbers that a vector has at least."""
_LABEL: Final = 40
"""Characters that a label has at most."""
_NAMES: Final = 64
"""Members of different names above which an object is a mapping of data."""

_SCORE: Final = re.compile(
    r"scores?|confidences?|prob(s|ability|abilities)?|logits?|logprobs?|similarity|distance"
    r"|relevance|weights?"
)
_DURATION: Final = re.compile(r"time|timestamp|durations?|latency|elapsed|ms|ns|seconds|created")
_USAGE: Final = re.compile(r"tokens?")
_DETAIL: Final = re.compile(r"cached?|audio|reasoning|accepted|rejected|details?")
_IDENTITY: Final = re.compile(r"model|version|fingerprint|snapshot|deployment|server|engine|tier")
_ID: Final = re.compile(r"ids?|object|index|status|shape")
_VECTOR: Final = re.compile(r"embeddings?|vectors?|features|hidden")
_REASONING: Final = re.compile(r"reasoning|thinking|thoughts?")
_TEXT: Final = re.compile(r"content|text|message|answer|summary|translation|transcript")
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_=-]{64,}")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule, and what was seen."""

    path: str
    kind: DeclaredKind
    evidence: str


def propose(samples: Sequence[Any]) -> list[Proposal]:
    """A rule for each place of the samples that a path can name."""
    found = list(_places(samples, ()))
    while isinstance(flaw := declared({each.path: each.kind for each in found}), Flaw):
        # Two vectors beside the same labels: which of them the labels name is for people to say.
        found = [
            Proposal(each.path, "drop", f"{each.kind} beside others; {flaw.wrong}")
            if each.path == flaw.path
            else each
            for each in found
        ]
    return found


def _places(values: Sequence[Any], path: Path) -> Iterator[Proposal]:
    """Rules for all that stands at one place, and below."""
    given = [value for value in values if value is not None]
    types = set(map(type, given))
    if not given or len(path) >= LONGEST:
        return
    if types == {dict}:
        yield from _objects(given, path)
    elif types == {list}:
        yield from _arrays(given, path)
    elif path and types.isdisjoint({dict, list}):
        kind, evidence = _scalars(given, _words(path))
        yield Proposal(shown(path), kind, evidence)
    elif path:
        yield Proposal(shown(path), "drop", "values of several types")


def _objects(given: list[dict[str, Any]], path: Path) -> Iterator[Proposal]:
    if all(len(each) > 1 and _add_up(list(each.values())) for each in given):
        seen = f"{_many(given, 'object')} whose values add up to 1: the keys are labels"
        yield Proposal(shown((*path, ANY)), "probabilities", seen)
        return
    names = list(dict.fromkeys(chain.from_iterable(given)))
    if len(names) > _NAMES or not any(map(writable, names)):
        yield from _places([item for each in given for item in each.values()], (*path, ANY))
        return
    for name in filter(writable, names):
        yield from _places([each[name] for each in given if name in each], (*path, name))


def _arrays(given: list[list[Any]], path: Path) -> Iterator[Proposal]:
    items = [item for each in given for item in each]
    if items and all(map(_is_number, items)):
        kind, evidence = _vectors(given, items, _words(path))
        yield Proposal(shown((*path, EACH)), kind, evidence)
        return
    across = _across(given)
    for rule in _places(items, (*path, EACH)):
        if across is not None and rule.path == shown((*path, EACH, across)):
            seen = f"adds up to 1 over the items of {_many(given, 'array')}"
            yield Proposal(rule.path, "probabilities", seen)
        else:
            yield rule


def _across(given: list[list[Any]]) -> str | None:
    """The member whose numbers add up to 1 over the items of each array."""
    ranked = [each for each in given if each]
    if not ranked or not all(type(item) is dict for each in ranked for item in each):
        return None
    if max(map(len, ranked)) < 2:
        return None
    for name in ranked[0][0]:
        if writable(name) and all(_add_up([item.get(name) for item in each]) for each in ranked):
            return str(name)
    return None


def _vectors(given: list[list[Any]], items: list[Any], words: set[str]) -> tuple[DeclaredKind, str]:
    lengths = {len(each) for each in given if each}
    seen = f"{_many(given, 'array')} of {_span(lengths)} numbers"
    if max(lengths) > 1 and all(map(_add_up, filter(None, given))):
        return "probabilities", f"{seen}, within [0, 1] and adding up to 1"
    if all(type(item) is int for item in items):
        return _integers(items, words)
    if (len(lengths) == 1 and max(lengths) >= _EMBEDDING) or _called(words, _VECTOR):
        return "embedding", seen
    return "score", f"{seen}, which do not add up to 1"


def _scalars(given: list[Any], words: set[str]) -> tuple[DeclaredKind, str]:
    types = set(map(type, given))
    if types <= {int, float}:
        return _numbers(given, words)
    if types == {str}:
        return _texts(given, words)
    if types == {bool}:
        return "label", f"{_many(given, 'value')}, true or false"
    return "drop", "values of several types"


def _numbers(given: list[Any], words: set[str]) -> tuple[DeclaredKind, str]:
    if _called(words, _DURATION):
        return "drop", "named like a duration or time"
    if set(map(type, given)) == {int}:
        return _integers(given, words)
    within = "within" if all(0 <= value <= 1 for value in given) else "not within"
    return "score", f"{_many(given, 'number')}, {within} [0, 1]"


def _integers(given: list[Any], words: set[str]) -> tuple[DeclaredKind, str]:
    seen = _many(given, "whole number")
    if _called(words, _USAGE) and _called(words, _ID):
        return "drop", f"{seen}, named like the ids of tokens, which are the text"
    if _called(words, _USAGE):
        kind: DeclaredKind = "usage_detail" if _called(words, _DETAIL) else "usage"
        return kind, f"{seen}, named like token counts"
    if _called(words, _ID):
        return "keep", f"{seen}, named like an id"
    if _called(words, _SCORE):
        return "score", f"{seen}, named like a score"
    if len(set(given)) <= max(2, len(given) // 2):
        return "label", f"{seen}, {len(set(given))} different"
    return "drop", f"{seen} that say nothing of themselves"


def _texts(given: list[str], words: set[str]) -> tuple[DeclaredKind, str]:
    different, longest = len(set(given)), max(map(len, given))
    seen = f"{_many(given, 'text')}, {different} different, of at most {longest} characters"
    if _called(words, _REASONING):
        return "reasoning", f"{seen}, named like reasoning"
    if _called(words, _ID):
        return "keep", f"{seen}, named like an id"
    if _called(words, _IDENTITY):
        return "identity", f"{seen}, named like a model"
    if any(map(_ENCODED.fullmatch, given)):
        return "drop", f"{seen}, which looks encoded"
    if longest > _LABEL or _called(words, _TEXT):
        return "text", seen
    return ("label", seen) if _are_labels(given) else ("drop", f"{seen}, which holds numbers")


def _are_labels(given: list[str]) -> bool:
    try:
        check_labels(given, "")
    except UpstreamError:
        return False
    return True


def _add_up(values: Sequence[Any]) -> bool:
    """Whether they are probabilities that add up to 1."""
    if not all(map(_is_number, values)):
        return False
    within = all(0 <= value <= 1 + _TOLERANCE for value in values)
    return within and math.isclose(math.fsum(values), 1, abs_tol=_TOLERANCE)


def _is_number(value: Any) -> bool:
    return type(value) in {int, float}


def _words(path: Path) -> set[str]:
    """What the last name of the path is made of, by which people say what stands there."""
    name = next((step for step in reversed(path) if step not in {EACH, ANY}), "")
    return {word.lower() for word in _WORD.findall(name)}


def _called(words: set[str], name: re.Pattern[str]) -> bool:
    return any(map(name.fullmatch, words))


def _many(values: Sequence[Any], noun: str) -> str:
    return f"{len(values)} {noun}{'s' if len(values) > 1 else ''}"


def _span(lengths: set[int]) -> str:
    low, high = min(lengths), max(lengths)
    return str(low) if low == high else f"{low} to {high}"
