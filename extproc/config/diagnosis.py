"""From msgspec's validation errors to ours.

msgspec says that something is wrong and leaves out the keys of mappings; the exact place is found
by trying, and what belongs there is read from the types.  Rule: of what the file says only names
are repeated, never other values, among which a secret may have ended up by mistake.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from extproc.config.document import Document, Place
from extproc.config.expectation import expected, fields, instead, key_type, names, wanted
from extproc.config.settings import Settings, TenantSettings
from extproc.errors import ConfigError

_ERROR: Final = re.compile(
    r"(?P<what>.*?)( - at (?P<key>`key` in )?`\$(?P<path>[\w.\[\]]*)`)?", re.DOTALL
)
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING_FIELD: Final = re.compile(r"Object missing required field `(.*)`")
_WRONG_TYPE: Final = re.compile(r"Expected `.*`, got `(\w+)`")
_OF_MSGSPEC: Final = "Invalid "
"""So its other errors begin; what does not is a sentence of a type of ours."""
_OUT_OF_BOUNDS: Final = re.compile(r"Expected `(\w+)` .*", re.DOTALL)
_GOT: Final = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number with decimals",
    "int": "a whole number",
    "null": "empty",
    "object": "a mapping",
    "str": "text",
}
_BOUNDS: Final = {
    "array": "wrong number of items",
    "float": "out of range",
    "int": "out of range",
    "str": "malformed",
}
_SHOWN: Final = 64
AT_ONCE: Final = 250
"""Tenants that are read in one go: a millisecond, so that a thread which loads lets others run."""

Checked = TypeVar("Checked")


def policy_of(document: Document) -> Settings:
    """A policy file's settings, as by ``settings_of``, with its tenants part by part."""
    data = document.data
    tenants = data.get("tenants") if isinstance(data, dict) else None
    if not isinstance(tenants, dict) or len(tenants) <= AT_ONCE:
        return settings_of(document, Settings)
    settings = settings_of(replace(document, data={**data, "tenants": {}}), Settings)
    named, made = iter(tenants.items()), dict[str, TenantSettings]()
    while part := dict(islice(named, AT_ONCE)):
        some = settings_of(replace(document, data={**data, "tenants": part}), Settings)
        made |= some.tenants
    return msgspec.structs.replace(settings, tenants=made)


def settings_of(document: Document, kind: type[Checked]) -> Checked:
    """What the file holds.  Raise ConfigError at the first that is not of its type."""
    try:
        return msgspec.convert(document.data, kind)
    except msgspec.ValidationError as error:
        raise _Diagnosis(document, kind).of(str(error)) from error


def shown(name: str) -> str:
    """A name of the file's in a message, cut where it is no name."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    """Of a file that should hold something of this type."""

    document: Document
    kind: Any

    def of(self, error: str) -> ConfigError:
        found = _ERROR.fullmatch(error)
        assert found is not None  # the pattern takes any text
        path = (found["path"] or "") + ("[...]" if found["key"] else "")
        place = self._exact(error, [name or step for name, step in _STEP.findall(path)])
        if found["key"]:
            return self._wrong_key(place)
        if unknown := _UNKNOWN_FIELD.fullmatch(found["what"]):
            return self._unknown_field(place, unknown[1])
        if missing := _MISSING_FIELD.fullmatch(found["what"]):
            return self._missing_field(place, missing[1])
        return self._wrong_value(place, found["what"])

    def _wrong_key(self, place: Place) -> ConfigError:
        kind = key_type(self._expected(place[:-1]))
        if known := names(kind):
            return self.document.fault(place, "unknown name", instead(str(place[-1]), known))
        return self.document.fault(place, "malformed name", f"write {wanted(kind)}")

    def _unknown_field(self, place: Place, name: str) -> ConfigError:
        known = fields(self._expected(place), _value(self.document.data, place))
        return self.document.fault((*place, name), "unknown field", instead(name, known))

    def _missing_field(self, place: Place, name: str) -> ConfigError:
        known = fields(self._expected(place), _value(self.document.data, place))
        return self.document.fault((*place, name), "missing", f"add {wanted(known[name])}")

    def _wrong_value(self, place: Place, what: str) -> ConfigError:
        document = self.document
        kind, value = self._expected(place), _value(document.data, place)
        remedy = f"write {wanted(kind)}"
        if got := _WRONG_TYPE.fullmatch(what):
            return document.fault(place, f"is {_GOT.get(got[1], got[1])}", remedy)
        if bounds := _OUT_OF_BOUNDS.fullmatch(what):
            return document.fault(place, _BOUNDS.get(bounds[1], "malformed"), remedy)
        if isinstance(value, str):
            remedy = instead(value, names(kind), wanted(kind))
            return document.fault(place, f"unknown name {shown(value)}", remedy)
        if what.startswith(_OF_MSGSPEC):
            return document.fault(place, "unknown value", remedy)
        return document.fault(place, "cannot be so", what)

    def _expected(self, place: Place) -> inspect.Type:
        return expected(place, self.document.data, self.kind)

    def _exact(self, error: str, steps: Sequence[str]) -> Place:
        """The place an error is about, where ``...`` among the steps stands for any key.

        msgspec stops at the first error and reads mappings in order, so that a mapping cut short
        fails alike if and only if the key is still in it.
        """
        place: Place = ()
        data = self.document.data
        for step in steps:
            inside = _value(data, place)
            if step == "...":
                keys = list(inside)
                cut = partial(_cut, data, place)
                index = bisect_left(
                    range(1, len(keys)),
                    True,
                    key=lambda count: self._fails(cut(keys[:count]), error),
                )
                data = cut(keys[index : index + 1])
                place = (*place, keys[index])
            else:
                place = (*place, int(step) if isinstance(inside, list) else step)
        return place

    def _fails(self, data: Any, error: str) -> bool:
        try:
            msgspec.convert(data, self.kind)
        except msgspec.ValidationError as other:
            return str(other) == error
        return False


def _value(data: Any, place: Place) -> Any:
    for step in place:
        data = data[step]
    return data


def _cut(data: Any, place: Place, keys: Sequence[str]) -> Any:
    """A copy of the data in which the mapping at the place has these keys only."""
    if not place:
        return {key: data[key] for key in keys}
    step = place[0]
    copy = data.copy()
    copy[step] = _cut(data[step], place[1:], keys)
    return copy
