"""The base file, as types: parts of a policy file, which a platform gives all of its teams.

Rule: its types are made of those of the policy file (settings.py), with every field optional; what
a policy file may not say, no base file may.
"""

from functools import cache
from types import GenericAlias, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from extproc.config.names import Name
from extproc.config.settings import RouteSettings, Settings

EVERY: Final = "*"
"""Stands among names for each of them."""
Selector = Annotated[
    str,
    Meta(
        pattern=r"^(\*|(GET|POST|\*) (\*|/[^\s?\[]*)|[a-z][a-z0-9_*]*)\Z",
        max_length=1100,
        description="*, a route such as POST /v1/*, or the name of a dialect such as openai_*",
    ),
]
"""Which routes something holds for; in each of its forms ``*`` stands for any text."""
_NAME_OR_EVERY = Annotated[
    str,
    Meta(
        pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63})\Z",
        description="a name: at most 64 letters, digits, '.', '_' and '-'; or *, for all",
    ),
]


def _part(kind: Any) -> Any:
    """The type of a part of what is of this type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        inner, *metas = arguments
        made = _part(inner)
        # A bound on how many there are is for the whole that they become a part of.
        return made if get_origin(inner) is dict else Annotated[made, *metas]
    if origin in {Union, UnionType}:
        return _union(arguments)
    if origin is dict:
        key, value = arguments
        return GenericAlias(dict, (_NAME_OR_EVERY if key == Name else key, _part(value)))
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _struct(kind)
    return kind


def _union(kinds: tuple[Any, ...]) -> Any:
    """Of several structs one with the fields of all, since a part need not say which it is."""
    structs = [kind for kind in kinds if _is_struct(kind)]
    others = [kind for kind in kinds if not _is_struct(kind)]
    if len(structs) < 2:
        return Union[tuple(map(_part, kinds))]  # noqa: UP007 - made of a tuple
    return Union[(_merged(tuple(structs)), *others)]


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


@cache
def _struct(kind: type[Struct]) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    called = _called(kind)
    return _made(f"Part{kind.__name__}", {called[name]: _part(hints[name]) for name in called})


def _called(kind: type[Struct]) -> dict[str, str]:
    """What a file calls each field."""
    return dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


@cache
def _merged(kinds: tuple[type[Struct], ...]) -> Any:
    tags = tuple(str(kind.__struct_config__.tag) for kind in kinds)
    fields: dict[str, Any] = {"kind": Literal[tags]}
    for kind in kinds:
        hints = get_type_hints(kind, include_extras=True)
        for field, name in _called(kind).items():
            made = _part(hints[field])
            fields[name] = made if fields.get(name, made) == made else Any
    return _made(f"Part{kinds[0].__name__}AndOthers", fields)


def _made(name: str, fields: dict[str, Any]) -> Any:
    return defstruct(
        name,
        [(field, kind | UnsetType, UNSET) for field, kind in fields.items()],
        frozen=True,
        forbid_unknown_fields=True,
        module=__name__,
    )


def _parts() -> Any:
    """What stands under ``defaults`` and ``overrides``."""
    hints = get_type_hints(Settings, include_extras=True)
    route = get_type_hints(RouteSettings, include_extras=True)
    bound = {name: _part(kind) for name, kind in route.items() if name not in {"path", "method"}}
    fields = {name: _part(kind) for name, kind in hints.items() if name != "version"}
    of_routes = GenericAlias(dict, (Selector, _made("PartRouteSettings", bound)))
    fields["routes"] = hints["routes"] | of_routes
    return _made("Parts", fields)


Parts: Final = _parts()


class Base(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    version: Literal[1]
    defaults: Parts = Parts()  # type: ignore[valid-type]
    """What holds where a policy file does not say otherwise."""
    overrides: Parts = Parts()  # type: ignore[valid-type]
    """What holds whatever a policy file says."""
