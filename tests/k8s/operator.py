"""The fields of the Prometheus operator's resources that k8s/ uses, as a JSON Schema.

Rule: no others are taken, as Kubernetes drops what it does not know without a word.  Who uses
another field looks it up and writes it down.  Source of names, types and patterns: the custom
resource definitions of prometheus-operator 0.93.0, ``example/prometheus-operator-crd``.
"""

from typing import Any, Final

from tests.k8s.rendered import Document

_API: Final = "monitoring.coreos.com/v1"
_DURATION: Final = {
    "type": "string",
    "pattern": r"^(0|((\d+)y)?((\d+)w)?((\d+)d)?((\d+)h)?((\d+)m)?((\d+)s)?((\d+)ms)?)$",
    "minLength": 1,
}
_TEXT: Final = {"type": "string", "minLength": 1}
_TEXTS: Final = {"type": "object", "additionalProperties": _TEXT}


def _message(*required: str, **fields: Any) -> Document:
    return {
        "type": "object",
        "properties": fields,
        "required": [*required],
        "additionalProperties": False,
    }


def _list(items: Document) -> Document:
    return {"type": "array", "items": items, "minItems": 1}


def _resource(kind: str, spec: Document) -> Document:
    return _message(
        *("apiVersion", "kind", "metadata", "spec"),
        apiVersion={"const": _API},
        kind={"const": kind},
        metadata=_message("name", name=_TEXT, namespace=_TEXT, labels=_TEXTS),
        spec=spec,
    )


_ENDPOINT: Final = _message("port", port=_TEXT, path=_TEXT, interval=_DURATION)
_RULE: Final = _message(
    *("alert", "expr"),
    **{"alert": _TEXT, "expr": _TEXT, "for": _DURATION, "labels": _TEXTS, "annotations": _TEXTS},
)
SCHEMAS: Final = {
    "PodMonitor": _resource(
        "PodMonitor",
        _message(
            *("selector", "podMetricsEndpoints"),
            selector=_message("matchLabels", matchLabels=_TEXTS),
            podMetricsEndpoints=_list(_ENDPOINT),
        ),
    ),
    "PrometheusRule": _resource(
        "PrometheusRule",
        _message("groups", groups=_list(_message("name", "rules", name=_TEXT, rules=_list(_RULE)))),
    ),
}
