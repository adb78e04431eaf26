"""Everything that can be said against a configuration without running it, whatever form it has."""

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.config_dump import check_config_dump, is_config_dump
from extproc.envoyconf.fail_closed import check_fail_closed
from extproc.envoyconf.manifests import check_manifests, is_manifest
from extproc.envoyconf.references import unknown_clusters, unknown_filters
from extproc.errors import ConfigError


def problems(document: Document) -> list[str]:
    """Of a bootstrap: one sentence for each, beginning with the path in the document; none is good.

    Raise ConfigError where the document says a thing twice.
    """
    return [
        *check_fail_closed(document),
        *unknown_clusters(document),
        *unknown_filters(document),
    ]


def all_problems(documents: list[Document]) -> list[str]:
    """Of a bootstrap, of what a running Envoy tells of itself, or of Kubernetes' manifests.

    Raise ConfigError where a document says a thing twice, and where they do not belong together.
    """
    if all(is_manifest(each) for each in documents):
        return check_manifests(documents, problems)
    if len(documents) != 1:
        raise ConfigError("several documents, not all of them Kubernetes' manifests")
    [document] = documents
    return check_config_dump(document) if is_config_dump(document) else problems(document)
