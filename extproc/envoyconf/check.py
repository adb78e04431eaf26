"""Everything that can be said against a bootstrap without running it."""

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.fail_closed import check_fail_closed
from extproc.envoyconf.references import unknown_clusters, unknown_filters


def problems(document: Document) -> list[str]:
    """One sentence for each, beginning with the path in the document; none is good.

    Raise ConfigError where the document says a thing twice.
    """
    return [
        *check_fail_closed(document),
        *unknown_clusters(document),
        *unknown_filters(document),
    ]
