"""What an Istio proxy tells of our two filters: nothing, but for the annotation of the pod."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from extproc.gateway.binary import envoy_path
from tests.envoyconf import captured
from tests.k8s.dashboards import dashboard, of_envoy
from tests.k8s.pod import until
from tests.k8s.rendered import one, templates
from tests.k8s.test_monitoring import series
from tests.stores.redis.rig import free_port

BOOTSTRAP = captured.SHARED / "data" / "istio" / "bootstrap-golden.json"
ANNOTATION = "sidecar.istio.io/statsInclusionRegexps"


def proxy(folder: Path, regexp: str | None) -> dict[str, Any]:
    """The captured pod's, with the statistics of Istio 1.30: there, prefixes end in a semicolon."""
    document = one("namespaces/istio", "EnvoyFilter")
    document["metadata"]["namespace"] = captured.NAMESPACE
    (folder / "filter.yaml").write_text(yaml.safe_dump(document))
    patched, _ = captured.patched(folder, folder / "filter.yaml", captured.INJECTED)
    found: dict[str, Any] = json.loads(captured.served(patched, 1))
    [chain] = found["static_resources"]["listeners"][0]["filter_chains"]
    for each in chain["filters"]:
        each["typed_config"]["stat_prefix"] += ";"
    found["stats_config"] = json.loads(BOOTSTRAP.read_text())["stats_config"]
    if regexp is not None:
        included = found["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"]
        included.append({"safe_regex": {"regex": regexp}})
    return found


@contextmanager
def told(folder: Path, document: dict[str, Any]) -> Iterator[str]:
    port = free_port()
    document["admin"]["address"]["socket_address"]["port_value"] = port
    (folder / "proxy.json").write_text(json.dumps(document))
    command = [str(envoy_path({})), "-c", str(folder / "proxy.json"), "--disable-hot-restart"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: ready(port))
        yield httpx.get(f"http://127.0.0.1:{port}/stats/prometheus").text
    finally:
        process.terminate()
        process.wait()


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready").text == "LIVE\n"
    except httpx.TransportError:
        return False


@captured.needed
@pytest.mark.e2e
def test_what_alerts_need_is_told_by_the_annotation_and_without_it_is_not(tmp_path: Path) -> None:
    template = templates("namespaces/istio")["namespaces/istio model"]
    regexp = template["metadata"]["annotations"][ANNOTATION]
    needed = {each for each in series() if each.startswith("envoy_")}
    needed |= {each.metric for each in of_envoy(dashboard("platform"))}
    with told(tmp_path, proxy(tmp_path, regexp)) as text:
        assert needed - names(text) == set()
    with told(tmp_path, proxy(tmp_path, None)) as text:
        assert needed & names(text) == set()


def names(text: str) -> set[str]:
    return {line.partition("{")[0].partition(" ")[0] for line in text.splitlines()}
