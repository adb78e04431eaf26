"""The pod of k8s/namespaces/standalone on this machine, without Kubernetes.

Each container is a process with its own arguments, each volume a folder as the kubelet keeps it,
and all of them start and end in the kubelet's order.  What is different: addresses and paths, since
the pod has all of them to itself.
"""

import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import httpx

from extproc._pb.grpc.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from extproc.gateway.binary import envoy_path
from tests.k8s.guide import Secrets
from tests.k8s.rendered import NAMESPACES, SIDECAR, Document, of_kind, templates
from tests.stores.redis.rig import free_port
from tests.volume import Volume

_PATH: Final = f"namespaces/{NAMESPACES[0]}"
_PROGRAMS: Final = {
    SIDECAR: (sys.executable, "-m", "extproc"),
    "envoy": (str(envoy_path({})),),
}


class Pod:
    def __init__(self, folder: Path, secrets: Secrets, places: dict[str, str]) -> None:
        """``places``: what texts say instead, beside ports and paths."""
        spec = templates(_PATH)[f"{_PATH} model"]["spec"]
        self.containers: dict[str, Document] = {
            each["name"]: each for each in spec["initContainers"]
        }
        self.ports = {port: free_port() for port in (8080, 9101, 9102, 9103, 9901)}
        # The first: what is put in their place may be in /tmp itself.
        own = {"unix:///tmp/": f"unix://{folder}/extproc-tmp/"}
        self._places = {**own, **places, **self._paths(folder)}
        self._secrets = secrets
        self.volumes = {each["name"]: self._volume(folder, each) for each in spec["volumes"]}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def here(self, text: str) -> str:
        """A text of the pod's, with the places that this machine has for it."""
        for port, ours in self.ports.items():
            text = re.sub(
                rf"(port_value: |0\.0\.0\.0:|127\.0\.0\.1:){port}\b", rf"\g<1>{ours}", text
            )
        for place, instead in self._places.items():
            text = text.replace(place, instead)
        return text.replace("0.0.0.0", "127.0.0.1")

    def files(self, name: str) -> dict[str, str]:
        """Of a ConfigMap."""
        [found] = [
            each["data"] for each in of_kind(_PATH, "ConfigMap") if each["metadata"]["name"] == name
        ]
        return {file: self.here(text) for file, text in found.items()}

    def start(self, name: str) -> None:
        command = [*_PROGRAMS[name], *map(self.here, self.containers[name]["args"])]
        self._running[name] = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def end(self, name: str) -> int:
        """Exit code after SIGTERM."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(timeout=30)

    def kill(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    def until_started(self, name: str) -> None:
        """The container's startupProbe, asked until it passes."""
        probe = self.containers[name]["startupProbe"]
        if "grpc" in probe:
            until(lambda: self.health(probe["grpc"].get("service", "")) == "SERVING")
        else:
            until(lambda: self.get(9103, probe["httpGet"]["path"]) == "LIVE\n")

    def health(self, service: str) -> str:
        """As a grpc: probe asks.  "" where nobody answers."""
        with grpc.insecure_channel(f"127.0.0.1:{self.ports[9101]}") as channel:
            check: Callable[..., Any] = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            try:
                answer = check(HealthCheckRequest(service=service), timeout=5)
            except grpc.RpcError:
                return ""
            return str(HealthCheckResponse.ServingStatus.Name(answer.status))

    def get(self, port: int, path: str) -> str:
        """ "" where nobody answers."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[port]}{path}").text
        except httpx.TransportError:
            return ""

    def hook(self) -> None:
        """The preStop of the sidecar's container."""
        python, *rest = self.containers[SIDECAR]["lifecycle"]["preStop"]["exec"]["command"]
        assert python == "python"
        subprocess.run([sys.executable, *map(self.here, rest)], check=True)

    def _paths(self, folder: Path) -> dict[str, str]:
        """Where what is mounted is, the longest first."""
        mounts = [mount for each in self.containers.values() for mount in each["volumeMounts"]]
        found = {each["mountPath"]: str(folder / each["name"]) for each in mounts}
        del found["/tmp"]
        return dict(sorted(found.items(), reverse=True))

    def _volume(self, folder: Path, about: Document) -> Volume:
        files: dict[str, str] = {}
        if "configMap" in about:
            files = self.files(about["configMap"]["name"])
        if "secret" in about:
            found = self._secrets[about["secret"]["secretName"]]
            files = {name: self.here(text) for name, text in found.items()}
        return Volume(folder / about["name"], files)


@contextmanager
def running(folder: Path, secrets: Secrets, places: dict[str, str]) -> Iterator[Pod]:
    """Its native sidecars, each started when the one before has."""
    with ExitStack() as stack:
        pod = Pod(folder, secrets, places)
        stack.callback(pod.kill)
        for name in pod.containers:
            pod.start(name)
            pod.until_started(name)
        yield pod


def until(condition: Callable[[], bool]) -> None:
    """Poll processes; fails after thirty seconds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        select.select([], [], [], 0.02)
