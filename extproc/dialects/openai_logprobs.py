"""Log probabilities as OpenAI's APIs write them: arrays of tokens with their alternatives.

Source: OpenAI API reference, "logprobs" of chat completions, responses and transcriptions: each
entry is ``{token, logprob, bytes?, top_logprobs?: [{token, logprob, bytes?}]}``.  Rule: an array
is checked as a whole, since a long answer holds thousands of tokens; what no mutator changes stays
the very object it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import is_, itemgetter
from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct, ValidationError, convert

from extproc.dialects.answers import Steps
from extproc.dialects.mutation import Edit, TokensMutation
from extproc.dialects.shape import ABSENT, Items, Json, Rewrite, Stepwise
from extproc.errors import UpstreamError
from extproc.prediction import Logprobs, Prediction, Token, Tokens

_TOKEN: Final = frozenset({"token", "logprob", "bytes"})
_ENTRY: Final = _TOKEN | {"top_logprobs"}
_NUMBERS: Final = frozenset({int, float})
_LISTS: Final = frozenset({list, type(None)})
_INTEGERS: Final = frozenset({int})
_TURN: Final = 64
"""Entries that are rewritten in one step."""
_SOME: Final = 4
"""Entries from which on it pays to look at all of them at once."""
_text, _logprob = itemgetter("token"), itemgetter("logprob")
_alternatives = itemgetter("top_logprobs")


def edited(before: Logprobs, edit: Edit) -> Logprobs | None:
    """What the tier's mutators make of one token and its alternatives."""
    after: Prediction | None = edit(before)
    if after is None or isinstance(after, Logprobs):
        return after
    raise TypeError(f"a mutator made {type(after).__name__} of log probabilities")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A token with its log probability and alternatives: as the tier says, or taken out."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return value if value is None else _entries([value], run, place)[0]


@dataclass(frozen=True, slots=True)
class Entries(Items, Stepwise):
    """The array of entries, whole: the same as entry by entry, and several times faster."""

    def steps(self, value: Json, run: Rewrite, place: str) -> Steps[Json]:
        if not isinstance(value, list):
            raise UpstreamError(f"{place} is not an array")
        items: list[Json] = []
        for at in range(0, len(value), _TURN):
            if items:
                yield
            part = value[at : at + _TURN]
            items += self.rewrite(part, run, place)
        return value if len(items) == len(value) and all(map(is_, items, value)) else items

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, list):
            raise UpstreamError(f"{place} is not an array")
        found = [entry for entry in value if entry is not None]
        after = _entries(found, run, f"{place}[]")
        if all(map(is_, after, found)):
            return value
        rest = iter(after)
        items = [None if entry is None else next(rest) for entry in value]
        return [item for item in items if item is not ABSENT]


ENTRIES: Final = Entries(_Entry())


@dataclass(frozen=True, slots=True)
class Withheld(Stepwise):
    """Entries that leave an empty array behind where they may not pass: clients walk along it."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not value or "logprobs" in run.edits:
            return ENTRIES.rewrite(value, run, place)
        run.drop(place)
        return []

    def steps(self, value: Json, run: Rewrite, place: str) -> Steps[Json]:
        if "logprobs" in run.edits:
            return (yield from ENTRIES.steps(value, run, place))
        return self.rewrite(value, run, place)


def _entries(entries: list[Json], run: Rewrite, place: str) -> list[Json]:
    if "logprobs" not in run.edits:
        return [run.drop(place) for _ in entries]
    at_once = run.tokens()
    if len(entries) >= _SOME and (at_once is not None or run.edits["logprobs"] is None):
        read = _read(entries)
        if read is not None:
            if at_once is not None:
                return _edited_at_once(entries, read, at_once)
            run.told.count_tokens([1 + len(chosen.top_logprobs) for chosen in read])
            return entries
    known = _known(entries, _ENTRY, run, place)
    others = [_others(entry, run, place) for entry in known]
    _check([*known, *chain.from_iterable(others)], place)
    if run.edits["logprobs"] is None:
        run.told.count_tokens([1 + len(tokens) for tokens in others])
        return [_with(entry, tokens) for entry, tokens in zip(known, others, strict=True)]
    edit = run.edit("logprobs")
    return [
        _edited(entry, tokens, edit, run, place)
        for entry, tokens in zip(known, others, strict=True)
    ]


class _Token(Struct, gc=False):
    token: str
    logprob: float
    bytes: list[Annotated[int, Meta(ge=0, le=255)]]


class _Chosen(_Token, gc=False):
    top_logprobs: list[_Token]


def _read(entries: list[Json]) -> list[_Chosen] | None:
    """The entries, where each has all that there can be and nothing else; else each is looked at
    for itself, which takes several times as long.
    """
    try:
        read = convert(entries, list[_Chosen])
    except ValidationError:
        return None
    others = [*chain.from_iterable(map(_alternatives, entries))]
    known = len(_ENTRY) * len(entries) + len(_TOKEN) * len(others)
    return read if sum(map(len, entries)) + sum(map(len, others)) == known else None


def _edited_at_once(entries: list[Json], read: list[_Chosen], edit: TokensMutation) -> list[Json]:
    """As ``_edited`` of each."""
    tokens: list[_Token] = []
    for chosen in read:
        tokens.append(chosen)
        tokens += chosen.top_logprobs
    sizes = [1 + len(chosen.top_logprobs) for chosen in read]
    after = edit(Tokens.of([token.logprob for token in tokens], sizes))
    ends = np.cumsum(after.sizes)
    changed = np.logical_or.reduceat(after.changed, ends - after.sizes) | (after.sizes != sizes)
    if not changed.any():
        return entries
    written = [
        {"token": tokens[place].token, "logprob": value, "bytes": tokens[place].bytes}
        for value, place in zip(after.logprobs.tolist(), after.places.tolist(), strict=True)
    ]
    left, start = list(entries), 0
    for number, (end, other) in enumerate(zip(ends.tolist(), changed.tolist(), strict=True)):
        if other:
            entry = left[number] = entries[number].copy()
            entry["logprob"] = written[start]["logprob"]
            entry["top_logprobs"] = written[start + 1 : end]
        start = end
    return left


def _known(
    objects: list[Json], names: frozenset[str], run: Rewrite, place: str
) -> list[Mapping[str, Json]]:
    """The objects without the members that the API does not have."""
    if set(map(type, objects)) - {dict}:
        raise UpstreamError(f"{place} is not an object")
    if names.issuperset(chain.from_iterable(objects)):
        return objects
    known = []
    for value in objects:
        for _ in value.keys() - names:
            run.drop(f"{place}.*")
        kept = {name: item for name, item in value.items() if name in names}
        known.append(value if len(kept) == len(value) else kept)
    return known


def _others(entry: Mapping[str, Json], run: Rewrite, place: str) -> Sequence[Mapping[str, Json]]:
    others = entry.get("top_logprobs")
    if others is None:
        return ()
    if not isinstance(others, list):
        raise UpstreamError(f"{place}.top_logprobs is not an array")
    return _known(others, _TOKEN, run, f"{place}.top_logprobs[]")


def _check(tokens: list[Mapping[str, Json]], place: str) -> None:
    try:
        texts, logprobs = list(map(_text, tokens)), list(map(_logprob, tokens))
    except KeyError:
        texts, logprobs = [None], [None]
    if set(map(type, texts)) - {str} or set(map(type, logprobs)) - _NUMBERS:
        raise UpstreamError(f"{place} is not a token with its log probability")
    raws = [token.get("bytes") for token in tokens]
    try:
        octets = list(chain.from_iterable(raw for raw in raws if raw is not None))
        fitting = set(map(type, raws)) <= _LISTS and set(map(type, octets)) <= _INTEGERS
        bytes(octets if fitting else [-1])
    except (TypeError, ValueError) as error:
        raise UpstreamError(f"{place}.bytes is not an array of bytes") from error


def _with(entry: Mapping[str, Json], others: Sequence[Json]) -> Json:
    """The entry, with its alternatives as they are known."""
    if not others or others is entry["top_logprobs"]:
        return entry
    return {**entry, "top_logprobs": others}


def _edited(
    entry: Mapping[str, Json],
    others: Sequence[Mapping[str, Json]],
    edit: Edit,
    run: Rewrite,
    place: str,
) -> Json:
    before = Logprobs(_token(entry), tuple(map(_token, others)))
    after = edited(before, edit)
    if after is before:
        return _with(entry, others)
    if after is None:
        return run.drop(place)
    changed = _written(after.chosen, entry)
    if entry.get("top_logprobs") is not None:
        changed["top_logprobs"] = [_written(token, entry) for token in after.alternatives]
    return {**entry, **changed}


def _token(value: Mapping[str, Json]) -> Token:
    raw = value.get("bytes")
    return Token(value["token"], float(value["logprob"]), None if raw is None else tuple(raw))


def _written(token: Token, like: Mapping[str, Json]) -> dict[str, Json]:
    """A token as the API writes it; with ``bytes`` where the original entry has them."""
    if "bytes" not in like:
        return {"token": token.text, "logprob": token.logprob}
    return {"token": token.text, "logprob": token.logprob, "bytes": token.raw}
