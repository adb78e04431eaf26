"""Routes: their dialects, and that each of them can be reached.

Rule: what could never match, or never be answered, is an error and no dead line.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, get_args

import msgspec

from extproc.config.credentials import compile_requirement
from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import instead
from extproc.config.inputs import compile_contract
from extproc.config.settings import InputSettings, RequirementSettings, RouteSettings, Settings
from extproc.config.sizes import check_sizes
from extproc.credentials import Credential
from extproc.dialects import (
    Dialect,
    GeminiEmbed,
    GeminiGenerate,
    Generic,
    KServeV2,
    KServeV2Grpc,
    TensorFlowREST,
    TorchServe,
    TritonGenerate,
    VertexEmbeddings,
    VertexPredict,
    Votes,
)
from extproc.dialects.dialect import JsonDialect
from extproc.dialects.gate import Object, gate_of
from extproc.dialects.grpc_dialect import GrpcDialect
from extproc.dialects.lookalike import plain
from extproc.route import Route

DIALECTS: Final[dict[str, type[Dialect]]] = {
    str(dialect.__struct_config__.tag): dialect for dialect in get_args(Dialect)
}
"""By the name that the policy file calls it."""

_MODEL_IN_PATH: Final = (
    GeminiEmbed,
    GeminiGenerate,
    KServeV2,
    TensorFlowREST,
    TorchServe,
    TritonGenerate,
    VertexEmbeddings,
    VertexPredict,
)
"""Dialects whose requests do not name the model."""
STRONG: Final = 2
"""The least strength on a route of high risk that names none."""
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


def compile_routes(document: Document, settings: Settings) -> tuple[Route, ...]:
    """The routes in the file's order.  Raise ConfigError at the first that cannot work."""
    compiled = tuple(
        _route(document, ("routes", index), route, settings.credentials)
        for index, route in enumerate(settings.routes)
    )
    _refuse_unreachable(document, compiled)
    return compiled


def _route(
    document: Document,
    place: Place,
    settings: RouteSettings,
    credentials: Mapping[str, Credential],
) -> Route:
    dialect = _dialect(document, (*place, "dialect"), settings.dialect)
    _check_declared(document, (*place, "dialect"), settings.path, dialect)
    _check_path(document, (*place, "path"), settings.path, dialect)
    if settings.method not in dialect.METHODS:
        wrong = f"this dialect has no answer to {settings.method}"
        remedy = f"write method: {' or '.join(dialect.METHODS)}"
        raise document.fault((*place, "method"), wrong, remedy)
    asked = _asked(document, place, settings, credentials)
    requirement = compile_requirement(document, (*place, "credentials"), asked, credentials)
    contract = None
    if settings.input != InputSettings():
        contract = compile_contract(document, (*place, "input"), settings.input, dialect)
    check_sizes(document, (*place, "sizes"), settings.sizes, dialect)
    return Route(settings.method, settings.path, dialect, requirement, contract, settings.sizes)


def _asked(
    document: Document,
    place: Place,
    settings: RouteSettings,
    credentials: Mapping[str, Credential],
) -> RequirementSettings:
    """What a caller must prove: on a route of high risk something strong, unless it says else."""
    asked = settings.credentials
    if settings.risk != "high" or asked.strength is not None:
        return asked
    known = [credentials[name] for name in (*asked.any_of, *asked.all_of) if name in credentials]
    strongest = max(each.strength for each in known or credentials.values())
    if strongest < STRONG:
        wrong = f"asks for a credential of strength {STRONG}, and the strongest has {strongest}"
        remedy = f"name a stronger one, or write credentials: {{strength: {strongest}}} here"
        raise document.fault((*place, "risk"), wrong, remedy)
    return msgspec.structs.replace(asked, strength=STRONG)


def _check_path(document: Document, place: Place, path: str, dialect: Dialect) -> None:
    parameters = _PARAMETER.findall(path)
    if len(set(parameters)) != len(parameters):
        raise document.fault(place, "a parameter stands in it twice", "rename one of them")
    if isinstance(dialect, GrpcDialect) and path not in dialect.paths():
        wrong = "this dialect reads no such call"
        raise document.fault(place, wrong, f"write path: {' or '.join(dialect.paths())}")
    if isinstance(dialect, _MODEL_IN_PATH) and "model" not in parameters:
        wrong = "nothing says which model is asked"
        raise document.fault(place, wrong, "name the segment: /v2/models/{model}/infer")


def _dialect(document: Document, place: Place, given: str | Dialect) -> Dialect:
    if not isinstance(given, str):
        if isinstance(given, JsonDialect):
            gate = gate_of(given.read)
            _check_asked(document, (*place, "allow_request"), given.allow_request, gate)
            _check_allowed(document, (*place, "allow_response"), given)
        return given
    if given not in DIALECTS:
        raise document.fault(place, f"unknown dialect {shown(given)}", instead(given, DIALECTS))
    return DIALECTS[given]()


def _check_asked(
    document: Document, place: Place, allowed: Sequence[str], gate: Object | None
) -> None:
    """Every field that goes on must be unknown: the gate has a rule for those it knows.

    One that looks like a known field would go past that rule, to a model server that is lenient.
    """
    said: dict[str, int] = {}
    for index, name in enumerate(allowed):
        assert gate is not None  # a test holds every dialect to it
        here, remedy = (*place, index), "name an unknown field of the request's own object"
        if gate.resembles(name) or gate.resembles(name.partition(".")[0]):
            wrong = f"{shown(name)} is known already, or looks like a field that is"
            raise document.fault(here, wrong, remedy)
        looks = plain(name) or name
        if looks in said:
            wrong = f"{shown(name)} looks like {shown(allowed[said[looks]])}"
            raise document.fault(here, wrong, "remove one: a model server may take it for both")
        said[looks] = index


def _check_allowed(document: Document, place: Place, dialect: JsonDialect) -> None:
    """Every field that is let through must be unknown, in an object the dialect knows."""
    paths = dialect.allow_response
    for count in range(len(paths)):
        try:
            msgspec.structs.replace(dialect, allow_response=paths[: count + 1]).answer()
        except KeyError as error:
            wrong = f"{shown(str(error.args[0]))} is known already, or not in a known object"
            remedy = "name an unknown field by its path, such as choices.message.annotations"
            raise document.fault((*place, count), wrong, remedy) from error


def _check_declared(document: Document, place: Place, path: str, dialect: Dialect) -> None:
    """What a policy declares of an API must be able to work on this path."""
    if isinstance(dialect, Generic | KServeV2 | KServeV2Grpc | Votes):
        for mistake in dialect.mistakes(_PARAMETER.findall(path)):
            raise document.fault((*place, *mistake.place), mistake.wrong, mistake.remedy)


def _refuse_unreachable(document: Document, routes: Sequence[Route]) -> None:
    shapes = [(route.method, _PARAMETER.sub("{}", route.path).split("/")) for route in routes]
    for index, (method, segments) in enumerate(shapes):
        for earlier, (other, pattern) in enumerate(shapes[:index]):
            if other == method and _covers(pattern, segments):
                where = document.mention(("routes", earlier))
                wrong = f"never reached: {routes[earlier].name} on {where} comes first"
                remedy = "remove one, or move this one up"
                raise document.fault(("routes", index, "path"), wrong, remedy)


def _covers(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    """Whether one template matches every path that another matches; ``{}`` is a parameter."""
    return len(pattern) == len(segments) and all(map(_covers_segment, pattern, segments))


def _covers_segment(part: str, segment: str) -> bool:
    name, verb = segment.partition(":")[::2]
    return part in {"{}", segment} or (bool(name) and part == f"{{}}:{verb}")
