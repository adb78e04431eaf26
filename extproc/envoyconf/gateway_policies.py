"""Whether Envoy Gateway's resources leave no byte past the sidecar.

Rule: of the messages that have its Envoys ask the sidecar only fields are taken that are known to
be safe.  A route that is in the file and that no policy selects is not protected, which is said;
routes elsewhere are not seen.

Source: Envoy Gateway's reference of the extension API ``gateway.envoyproxy.io/v1alpha1`` (v1.9).
"""

from collections.abc import Iterator
from typing import Any, Final

from extproc.envoyconf.fail_closed import METADATA
from extproc.envoyconf.walk import Manifest, Place
from extproc.origin import JA4

_ASKING: Final = {"SecurityPolicy": "extAuth", "EnvoyExtensionPolicy": "extProc"}
_ROUTES: Final = frozenset({"HTTPRoute", "GRPCRoute"})
_FILTERS: Final = "envoy.filters.http"
_AUTHORIZATION: Final = frozenset(
    {"failOpen", "statusOnError", "timeout", "grpc", "contextExtensions"}
)
_PROCESSING: Final = frozenset(
    {
        *("failOpen", "statusOnError", "messageTimeout", "backendRefs", "backendSettings"),
        *("processingMode", "metadata"),
    }
)
_TARGETS: Final = ("targetRef", "targetRefs", "targetSelectors")
_ORDER: Final = {"name": f"{_FILTERS}.ext_authz", "after": f"{_FILTERS}.jwt_authn"}


def asks(manifest: Manifest) -> bool:
    """Whether it has Envoy ask anybody, whatever of."""
    return bool(manifest.spec.value.get(_ASKING.get(manifest.kind, "")))


def problems(manifests: list[Manifest]) -> list[str]:
    """Of all those of one namespace, whatever they are."""
    kinds: dict[str, list[Manifest]] = {}
    for each in manifests:
        kinds.setdefault(each.kind, []).append(each)
    security, extension = (kinds.get(kind, []) for kind in _ASKING)
    backends = {each.name for each in kinds.get("Backend", []) if _is_socket(each.spec)}
    return [
        *(said for each in security for said in _security(each.spec, backends)),
        *(said for each in extension for said in _extension(each.spec, backends)),
        *_pairs(security, extension),
        *(
            said
            for kind in sorted(_ROUTES)
            for each in kinds.get(kind, [])
            for said in _route(each, [*security, *extension])
        ),
        *_clients(kinds.get("Gateway", []), kinds.get("ClientTrafficPolicy", [])),
        *(said for each in kinds.get("EnvoyProxy", []) for said in _filter_order(each.spec)),
        *(
            f"{each.spec.path}: changes what Envoy is given, which is not seen here"
            for each in kinds.get("EnvoyPatchPolicy", [])
        ),
    ]


def _security(spec: Place, backends: set[str]) -> Iterator[str]:
    said = spec.message("extAuth")
    if not said.value:
        yield f"{said.path}: is missing: its routes are asked about by nobody"
        return
    yield from _common(said, _AUTHORIZATION)
    yield from _backends(said.message("grpc"), backends)


def _extension(spec: Place, backends: set[str]) -> Iterator[str]:
    for field in sorted(spec.value.keys() - {"extProc", *_TARGETS}):
        yield f"{spec.at(field)}: is not known to be safe beside the sidecar; remove it"
    every = spec.messages("extProc")
    if len(every) != 1:
        yield f"{spec.at('extProc')}: must be the sidecar, once"
    for said in every:
        yield from _common(said, _PROCESSING)
        yield from _backends(said, backends)
        yield from _modes(said.message("processingMode"))
        known = said.message("metadata").value.get("accessibleNamespaces")
        if METADATA not in (known or ()):
            field = said.message("metadata").at("accessibleNamespaces")
            yield f"{field}: must name {METADATA}, which tells the tenant"


def _common(said: Place, fields: frozenset[str]) -> Iterator[str]:
    for field in sorted(said.value.keys() - fields):
        yield f"{said.at(field)}: is not known to be safe; remove it"
    if said.value.get("failOpen") not in {None, False}:
        yield f"{said.at('failOpen')}: lets pass what the sidecar did not see; must be false"
    status = said.value.get("statusOnError", 500)
    if not (isinstance(status, int) and status >= 400):
        yield f"{said.at('statusOnError')}: {status!r} must be an error, such as 503"


def _backends(said: Place, known: set[str]) -> Iterator[str]:
    references = said.messages("backendRefs")
    if len(references) != 1:
        yield f"{said.at('backendRefs')}: must name the sidecar's Backend alone"
    for each in references:
        if each.value.get("kind") != "Backend" or each.value.get("name") not in known:
            name = each.value.get("name")
            yield f"{each.path}: no Backend here that is a Unix socket is called {name!r}"


def _is_socket(spec: Place) -> bool:
    """The sidecar is in Envoy's pod; what is elsewhere is another."""
    endpoints = spec.messages("endpoints")
    return bool(endpoints) and all(each.value.keys() == {"unix"} for each in endpoints)


def _modes(modes: Place) -> Iterator[str]:
    if modes.value.get("allowModeOverride") not in {None, False}:
        field = modes.at("allowModeOverride")
        yield f"{field}: lets a message switch body processing off; must be false"
    for side in ("request", "response"):
        if modes.message(side).value.get("body") != "FullDuplexStreamed":
            yield f"{modes.message(side).at('body')}: must be FullDuplexStreamed"


def _pairs(security: list[Manifest], extension: list[Manifest]) -> Iterator[str]:
    """One of the two alone is no protection."""
    for ours, others, kind in (
        (security, extension, "EnvoyExtensionPolicy"),
        (extension, security, "SecurityPolicy"),
    ):
        theirs = [_targets(each.spec) for each in others]
        for each in ours:
            if _targets(each.spec) not in theirs:
                yield f"{each.spec.path}: no {kind} of this namespace is for the same routes"


def _targets(spec: Place) -> dict[str, Any]:
    return {field: spec.value[field] for field in _TARGETS if field in spec.value}


def _route(route: Manifest, policies: list[Manifest]) -> Iterator[str]:
    found = {each.kind for each in policies if _selects(each.spec, route)}
    for kind in sorted(_ASKING.keys() - found):
        yield f"{route.metadata.at('labels')}: no {kind} selects it, so that it is not protected"


def _selects(spec: Place, route: Manifest) -> bool:
    labels = route.metadata.message("labels").value
    for each in spec.messages("targetSelectors"):
        wanted = each.message("matchLabels").value
        if each.value.get("kind") == route.kind and wanted.items() <= labels.items():
            return not each.value.get("matchExpressions")
    references = [spec.message("targetRef"), *spec.messages("targetRefs")]
    return any(
        (each.value.get("kind"), each.value.get("name")) == (route.kind, route.name)
        and "sectionName" not in each.value
        for each in references
    )


def _clients(gateways: list[Manifest], policies: list[Manifest]) -> Iterator[str]:
    """No client writes what Envoy alone may write."""
    safe = [each.spec for each in policies if JA4 in _removed(each.spec)]
    for each in policies:
        if JA4 not in _removed(each.spec):
            field = each.spec.message("headers", "earlyRequestHeaders").at("remove")
            yield f"{field}: must name {JA4}, or clients choose what they are known by"
    for gateway in gateways:
        names = {
            reference.value.get("name")
            for spec in safe
            for reference in (spec.message("targetRef"), *spec.messages("targetRefs"))
        }
        if gateway.name not in names:
            yield (
                f"{gateway.spec.path}: no ClientTrafficPolicy for it removes {JA4}, so that "
                "clients choose what they are known by"
            )


def _removed(spec: Place) -> set[str]:
    found = spec.message("headers", "earlyRequestHeaders").value.get("remove")
    return {str(each).lower() for each in found} if isinstance(found, list) else set()


def _filter_order(spec: Place) -> Iterator[str]:
    """As Envoy Gateway orders them by itself, ext_authz comes before tokens are read."""
    order = spec.messages("filterOrder")
    if _ORDER not in [each.value for each in order]:
        yield f"{spec.at('filterOrder')}: must have ext_authz after jwt_authn, whose word it takes"
    for each in order:
        name, place = str(each.value.get("name")), each.value.get("before")
        about_proc = f"{_FILTERS}.ext_proc" in {name, place, each.value.get("after")}
        if about_proc or (name == _ORDER["name"] and each.value != _ORDER):
            yield f"{each.path}: moves a filter of ours; remove it"
