"""Kubernetes' manifests that configure Envoy, among whatever others.

Rule: what of them would have Envoy ask the sidecar is judged as in a bootstrap; a file without any
of it is no answer to whether Envoy asks.  Each sentence names kind, name and path.
"""

from collections.abc import Callable, Iterator
from typing import Final

from extproc.envoyconf import envoy_filters, gateway_policies
from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.text import parse
from extproc.envoyconf.walk import Manifest, Place

_NOTHING: Final = (
    "nothing here has Envoy ask the sidecar: neither an EnvoyFilter, nor a SecurityPolicy and an "
    "EnvoyExtensionPolicy, nor a ConfigMap with a bootstrap"
)
Problems = Callable[[Document], list[str]]


def is_manifest(document: Document) -> bool:
    return isinstance(document.get("kind"), str) and "apiVersion" in document


def check_manifests(documents: list[Document], problems: Problems) -> list[str]:
    """``problems`` are a bootstrap's.  Raise ConfigError where a message says a thing twice."""
    manifests = [Manifest(each) for document in documents for each in _each(document)]
    bootstraps = [found for each in manifests for found in _bootstraps(each)]
    found = [f"{path}: {said}" for path, each in bootstraps for said in problems(each)]
    asked = bool(bootstraps)
    for namespace in sorted({each.namespace for each in manifests}):
        ours = [each for each in manifests if each.namespace == namespace]
        istio = [each for each in ours if each.kind == "EnvoyFilter"]
        if any(envoy_filters.asks(each) for each in istio):
            found += envoy_filters.problems(istio)
            asked = True
        if any(gateway_policies.asks(each) for each in ours):
            found += gateway_policies.problems(ours)
            asked = True
    return found if asked else [_NOTHING]


def _each(document: Document) -> Iterator[Document]:
    """``kubectl get`` prints a List; an API server, one of its kind."""
    if not str(document.get("kind")).endswith("List"):
        yield document
        return
    for item in Place("", document).messages("items"):
        yield item.value


def _bootstraps(manifest: Manifest) -> Iterator[tuple[str, Document]]:
    if manifest.kind != "ConfigMap":
        return
    data = manifest.part("data")
    for name, text in data.value.items():
        if "static_resources" in str(text) or "staticResources" in str(text):
            place = f"{data.path}[{name}]"
            yield from ((place, found) for found in parse(str(text), place))
