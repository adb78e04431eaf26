"""The inbound listener of an Istio proxy, as it was captured, with EnvoyFilters applied to it.

What applies them is an emulator of what istiod does: it is no part of the project, as the capture
is not.  Whatever of the capture only Istio's own build of Envoy knows is left out.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from extproc.envoyconf.bootstrap import Document

SHARED: Final = Path(__file__).parents[2].parent / "shared"
_EMULATOR: Final = SHARED / "tools" / "envoyfilter_emulator.py"
_DATA: Final = SHARED / "data" / "istio"
needed = pytest.mark.skipif(
    not _EMULATOR.exists(), reason="the captured listener is no part of the project"
)
NAMESPACE: Final = "ml"
INJECTED: Final = {"app": "model", "extproc.dev/injected": "true"}
_PORT: Final = "0.0.0.0_80"
"""The filter chain of the port that the captured pod serves on."""


def patched(folder: Path, filters: Path, labels: dict[str, str]) -> tuple[Document, list[str]]:
    """The bootstrap of such a pod, and the names of the filters of each chain for HTTP.

    Raise CalledProcessError where a patch fits nothing.
    """
    out = folder / "istio.json"
    command = [sys.executable, str(_EMULATOR), str(_DATA / "inbound-listener-capture.json")]
    command += [str(_DATA / "bootstrap-golden.json"), str(out), str(filters)]
    about = {"NAMESPACE": NAMESPACE, "LABELS": json.dumps(labels)}
    said = subprocess.run(command, env=about, capture_output=True, text=True, check=True).stdout
    document: Document = json.loads(out.read_text())
    return document, [line for line in said.splitlines() if line.endswith("]")]


def served(document: Document, upstream: int) -> str:
    """A bootstrap that can be run here: the chain of the captured port alone, before a model server
    on this one.  Without Istio's own authorization, whose rules are of another pod.
    """
    resources = document["static_resources"]
    [listener] = resources["listeners"]
    [chain, *_] = [each for each in listener["filter_chains"] if each.get("name") == _PORT]
    del chain["filter_chain_match"]
    manager = _manager(chain)
    first = next(
        place
        for place, each in enumerate(manager["http_filters"])
        if each["name"].rpartition(".")[2] == "grpc_stats"
    )
    manager["http_filters"] = manager["http_filters"][first:]
    listener |= {"address": _local(0), "filter_chains": [chain], "listener_filters": []}
    model = manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["cluster"]
    for cluster in resources["clusters"]:
        if cluster["name"] == model:
            places = [{"lb_endpoints": [{"endpoint": {"address": _local(upstream)}}]}]
            cluster["load_assignment"] = {"cluster_name": model, "endpoints": places}
    document["admin"] = {"address": _local(0)}
    return json.dumps(document)


def _manager(chain: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each["typed_config"]
        for each in chain["filters"]
        if each["name"] == "envoy.filters.network.http_connection_manager"
    )
    return found


def _local(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
