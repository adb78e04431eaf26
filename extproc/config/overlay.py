"""A policy file over the defaults, and under the overrides, of its base file.

Rules.  Mappings are merged key by key; lists and scalars are replaced.  So are two things that
look like mappings: a tier, which is the list of what passes, and what names its ``kind``.  A team's
value beats a default; an override beats a team's value, and is noted.  ``"*"`` stands for every
entry, a name beats it.  What it says of a field that an entry's kind does not have is left out
there.  An override holds also for what would change its value elsewhere: see binding.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from extproc.config.base import EVERY, Base
from extproc.config.binding import BOUND, also_bound, unbound
from extproc.config.diagnosis import settings_of
from extproc.config.document import Document, Overruled, Place
from extproc.config.expectation import instead
from extproc.config.parts import Part, parts, where
from extproc.config.routes import DIALECTS
from extproc.config.selectors import is_of_paths, selects
from extproc.credentials import Credential

ENTRIES: Final = ("credentials", "fidelities", "policies", "tenants")
"""Mappings of named entries, in which ``"*"`` stands for every one."""
_CREDENTIALS: Final[Mapping[str, Any]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(Credential)
}


def overlaid(policy: Document, base: Document) -> Document:
    """What the two say together.  Raise ConfigError where the base file is none."""
    settings_of(base, Base)
    _check(base)
    if not isinstance(policy.data, dict):
        return policy  # no policy file, which whoever reads it says
    defaults = parts(base, ("defaults",), "default") if "defaults" in base.data else None
    overrides = parts(base, ("overrides",), "override") if "overrides" in base.data else None
    return _Overlay(policy, defaults, overrides).made()


def _check(base: Document) -> None:
    """What its types cannot say: that every selector can select, and every ``"*"`` bind."""
    for layer in base.data.keys() & {"defaults", "overrides"}:
        routes = base.data[layer].get("routes", {})
        for selector in routes if isinstance(routes, dict) else ():
            if is_of_paths(selector) or any(selects(selector, "", "", name) for name in DIALECTS):
                continue
            place, remedy = (layer, "routes", selector), instead(selector, DIALECTS)
            raise base.fault(place, "there is no such dialect", remedy)
    if EVERY in base.data.get("defaults", {}).get("fidelities", {}):
        wrong = "no default can hold for a tier: what it does not name is dropped"
        raise base.fault(("defaults", "fidelities", EVERY), wrong, "name the tier")


class _Overlay:
    """Of one policy file."""

    def __init__(self, policy: Document, defaults: Part | None, overrides: Part | None) -> None:
        self._policy = policy
        self._defaults = defaults.entries if defaults is not None else {}
        self._overrides = overrides.entries if overrides is not None else {}
        self._overruled: list[Overruled] = []
        touched = {*self._defaults, *self._overrides, *BOUND, *also_bound(self._overrides)}
        self._left = [name for name in policy.data if name not in touched]
        """What no base file speaks of: ten thousand tenants are not looked at for nothing."""
        self._own = parts(policy, (), leaving=self._left)

    def made(self) -> Document:
        names = dict.fromkeys((*self._own.entries, *self._defaults, *self._overrides))
        found = {name: self._section(name) for name in names}
        said = {name: part for name, part in found.items() if part is not None}
        whole, set_aside = unbound(Part(said, self._own.origin), self._overrides)
        lines, foreign = where(whole)
        return Document(
            self._policy.path,
            self._in_file_order(whole.data()),
            lines | self._lines_left(),
            foreign,
            (*self._overruled, *set_aside),
            self._policy.files,
        )

    def _in_file_order(self, data: dict[str, Any]) -> dict[str, Any]:
        merged = {**data, **{name: self._policy.data[name] for name in self._left}}
        order = dict.fromkeys((*self._policy.data, *merged))
        return {name: merged[name] for name in order if name in merged}

    def _lines_left(self) -> dict[Place, int]:
        left, lines = set(self._left), self._policy.lines
        return {place: line for place, line in lines.items() if place and place[0] in left}

    def _section(self, name: str) -> Part | None:
        layers = (self._defaults, self._own.entries, self._overrides)
        default, own, override = (layer.get(name) for layer in layers)
        if name == "routes":
            return self._routes(default, own, override)
        if name == "credentials" and own is None:
            own = _unsaid(default, override)
        if name in ENTRIES and (own is None or isinstance(own.value, dict)):
            return self._entries(name, default, own, override)
        return self._stacked((name,), default, own, override)

    def _entries(
        self, section: str, default: Part | None, own: Part | None, override: Part | None
    ) -> Part | None:
        layers = [part.entries if part is not None else {} for part in (default, own, override)]
        names = dict.fromkeys(name for layer in layers for name in layer if name != EVERY)
        of_defaults, of_own, of_overrides = layers
        every, each = of_defaults.get(EVERY), of_overrides.get(EVERY)
        made = {
            name: self._entry(
                (section, name),
                (every, of_defaults.get(name), of_own.get(name), each, of_overrides.get(name)),
            )
            for name in self._in_order(names, of_own)
        }
        first = next(part for part in (own, default, override) if part is not None)
        return Part(made, first.origin) if made or own is not None else None

    def _in_order(self, names: Mapping[str, None], own: Mapping[str, Part]) -> Iterator[str]:
        """The policy file's own first, as it has them."""
        yield from own
        yield from (name for name in names if name not in own)

    def _entry(self, place: Place, layers: tuple[Part | None, ...]) -> Part:
        every, default, own, each, override = layers
        if place[0] == "fidelities":
            tier = override or self._tier(place, own or default, each)
            if override is not None and own is not None:
                self._note(place, own, override)
            assert tier is not None  # one of them names it
            return tier
        if place[0] == "credentials":
            named = self._stacked(place, default, own)
            every, each = (_fitting(part, _kind(named, override)) for part in (every, each))
        made = self._stacked(place, every, default, own, each, override)
        assert made is not None  # one of them names it
        return made

    def _tier(self, place: Place, tier: Part | None, each: Part | None) -> Part | None:
        """What holds for every tier adds nothing to what one lets pass."""
        if tier is None or each is None or not isinstance(tier.value, dict):
            return tier
        bound = {kind: part for kind, part in each.entries.items() if kind in tier.entries}
        return self._stacked(place, tier, Part(bound, each.origin))

    def _routes(self, default: Part | None, own: Part | None, override: Part | None) -> Part | None:
        below = default if default is not None and isinstance(default.value, list) else None
        listed = own or below
        if override is not None and isinstance(override.value, list):
            return self._stacked(("routes",), listed, override)
        if listed is None or not isinstance(listed.value, list):
            return listed
        before, after = (part.entries if part is not None else {} for part in (default, override))
        routes = [
            self._route(("routes", index), route, before, after)
            for index, route in enumerate(listed.value)
        ]
        return Part(routes, listed.origin)

    def _route(
        self, place: Place, route: Part, before: Mapping[str, Part], after: Mapping[str, Part]
    ) -> Part:
        below, above = (
            [part for selector, part in of.items() if _selected(selector, route)]
            for of in (before, after)
        )
        made = self._stacked(place, *below, route, *above)
        assert made is not None  # the route itself
        return made

    def _stacked(self, place: Place, *layers: Part | None) -> Part | None:
        made: Part | None = None
        for layer in layers:
            made = self._over(place, made, layer)
        return made

    def _over(self, place: Place, lower: Part | None, upper: Part | None) -> Part | None:
        if lower is None or upper is None:
            return upper if lower is None else lower
        if place[0] == "routes" and place[2:] == ("dialect",):
            lower, upper = _dialects(lower, upper)
        if not (isinstance(lower.value, dict) and isinstance(upper.value, dict)) or _named(upper):
            self._note(place, lower, upper)
            return upper
        names = dict.fromkeys((*lower.value, *upper.value))
        value = {
            name: self._over((*place, name), lower.value.get(name), upper.value.get(name))
            for name in names
        }
        own = upper if upper.origin.layer == "policy" else lower
        return Part(value, own.origin)

    def _note(self, place: Place, lower: Part, upper: Part) -> None:
        """A default that does not hold is nobody's surprise."""
        layers = lower.origin.layer, upper.origin.layer
        if layers == ("policy", "override") and lower.data() != upper.data():
            self._overruled.append(Overruled(place, lower.origin, upper.origin))


def _unsaid(*layers: Part | None) -> Part | None:
    """The credential there is where nobody names another, for the base file to bind."""
    given = [part for part in layers if part is not None]
    if not given or any(part.but("keys", EVERY).entries for part in given):
        return None
    origin = given[0].origin
    return Part({"keys": Part({"kind": Part("api_key", origin)}, origin)}, origin)


def _named(part: Part) -> str | None:
    """The kind that a mapping says it is of."""
    kind = part.entries.get("kind")
    return kind.value if kind is not None and isinstance(kind.value, str) else None


def _kind(named: Part | None, override: Part | None) -> Any:
    """The type of a credential."""
    found = [_named(part) for part in (override, named) if part is not None]
    return next((_CREDENTIALS.get(kind) for kind in found if kind is not None), None)


def _fitting(part: Part | None, kind: Any) -> Part | None:
    """What a wildcard says of the fields that this type has."""
    if part is None or kind is None or _named(part) is not None:
        return part
    return part.but(*(name for name in part.entries if name not in kind.__struct_fields__))


def _dialects(lower: Part, upper: Part) -> tuple[Part, Part]:
    """Both so that they can be merged: names written out, and what the kind has no field for
    left out.
    """
    lower, upper = (
        Part({"kind": part}, part.origin) if isinstance(part.value, str) else part
        for part in (lower, upper)
    )
    return lower, _fitting(upper, DIALECTS.get(_named(lower) or "")) or upper


def _selected(selector: str, route: Part) -> bool:
    said = route.entries
    path = said["path"].value if "path" in said else None
    method = said["method"].value if "method" in said else "POST"
    dialect = said.get("dialect")
    name = (_named(dialect) or dialect.value) if dialect is not None else None
    return isinstance(path, str) and selects(selector, str(method), path, str(name))
