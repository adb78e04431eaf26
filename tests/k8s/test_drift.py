"""What was rendered and committed is what the commands print now, and Envoy takes it."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from extproc.__main__ import main
from extproc.envoyconf.check import problems
from extproc.envoyconf.references import unknown_clusters
from extproc.gateway.binary import envoy_path
from tests.envoyconf import captured
from tests.k8s.policies import policy
from tests.k8s.rendered import K8S, NAMESPACES, one, templates, text

COMMITTED = {
    "components/envoy/envoy.yaml": ("standalone", "bootstrap", "--upstream=http://127.0.0.1:8000"),
    "components/istio/envoy-filter.yaml": ("istio", "istio"),
    "components/envoy-gateway/policies.yaml": ("gateway", "gateway"),
}

UNSAFE = {
    "standalone": {"response_body_mode: FULL_DUPLEX_STREAMED": "response_body_mode: STREAMED"},
    "istio": {
        "response_body_mode: FULL_DUPLEX_STREAMED": "response_body_mode: STREAMED",
        "remove: x-extproc-ja4": "remove: x-other",
    },
    "gateway": {
        "failOpen: false": "failOpen: true",
        "allowModeOverride: false": "allowModeOverride: true",
    },
}
"""Edits of each."""


@pytest.mark.parametrize("file", COMMITTED)
def test_a_committed_file_is_what_its_command_prints(
    file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, command, *more = COMMITTED[file]
    asked = ["extproc", "envoy", command, "--policy", str(policy(name, tmp_path)), *more]
    monkeypatch.setattr("sys.argv", asked)
    assert main() == 0
    assert (K8S / file).read_text() == capsys.readouterr().out


@pytest.mark.parametrize("name", NAMESPACES)
def test_nothing_can_be_said_against_what_is_applied(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the guides have it checked: all of it, whatever else is in it."""
    file = tmp_path / "all.yaml"
    file.write_text(text(f"namespaces/{name}"))
    monkeypatch.setattr("sys.argv", ["extproc", "envoy", "check", str(file)])
    assert main() == 0
    assert capsys.readouterr().out == f"{file}: nothing found\n"
    for safe, unsafe in UNSAFE[name].items():
        assert safe in file.read_text()
        file.write_text(file.read_text().replace(safe, unsafe))
    assert main() == 1
    assert len(capsys.readouterr().out.splitlines()) >= len(UNSAFE[name])


def test_what_envoy_is_mounted_fails_closed_and_is_valid(tmp_path: Path) -> None:
    """With what its arguments add, which is put together as Envoy does it: lists go on."""
    data = one("namespaces/standalone", "ConfigMap", "extproc-envoy")["data"]
    assert data == {"envoy.yaml": (K8S / "components" / "envoy" / "envoy.yaml").read_text()}
    document, added = yaml.safe_load(data["envoy.yaml"]), yaml.safe_load(added_configuration())
    assert problems(document) == []
    for name in ("listeners", "clusters"):
        document["static_resources"][name] += added["static_resources"][name]
    assert unknown_clusters(document) == []
    (tmp_path / "envoy.yaml").write_text(data["envoy.yaml"])
    command = [str(envoy_path({})), "--mode", "validate", *arguments(tmp_path / "envoy.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def arguments(config: Path) -> list[str]:
    """Of the container, but that its configuration is elsewhere."""
    template = templates("namespaces/standalone")["namespaces/standalone model"]
    [args] = [
        each["args"] for each in template["spec"]["initContainers"] if each["name"] == "envoy"
    ]
    return [str(config) if each == "/etc/envoy/envoy.yaml" else each for each in args]


def test_envoy_has_not_as_many_threads_as_the_node_has_processors() -> None:
    args = arguments(Path("unused"))
    assert args[args.index("--concurrency") + 1] == "2"


def added_configuration() -> str:
    args = arguments(Path("unused"))
    return args[args.index("--config-yaml") + 1]


@captured.needed
def test_the_rendered_filter_fits_a_captured_listener_of_a_pod_of_the_overlay(
    tmp_path: Path,
) -> None:
    document = one("namespaces/istio", "EnvoyFilter")
    assert document["metadata"]["namespace"] == "models-istio"
    document["metadata"]["namespace"] = captured.NAMESPACE
    (tmp_path / "filter.yaml").write_text(yaml.safe_dump(document))
    labels = templates("namespaces/istio")["namespaces/istio model"]["metadata"]["labels"]
    patched, chains = captured.patched(tmp_path, tmp_path / "filter.yaml", labels)
    assert len(chains) >= 2
    assert all(each.endswith("'ext_authz', 'ext_proc', 'router']") for each in chains)
    assert unknown_clusters(patched) == []
    command = [str(envoy_path({})), "--mode", "validate", "-c", str(tmp_path / "istio.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    del labels["extproc.dev/injected"]
    untouched, _ = captured.patched(tmp_path, tmp_path / "filter.yaml", labels)
    assert "ext_proc" not in json.dumps(untouched)
