from typing import Any

import pytest

from extproc.envoyconf.check import all_problems, problems
from extproc.envoyconf.envoy_gateway import resources
from extproc.envoyconf.istio import envoy_filter
from extproc.envoyconf.manifests import check_manifests, is_manifest
from extproc.envoyconf.settings import Pipe
from extproc.envoyconf.text import to_yaml
from extproc.errors import ConfigError
from tests.envoyconf import shipped

SOCKET = Pipe("/run/extproc/extproc.sock")
OTHER = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": []}}


def config_map(text: str) -> dict[str, Any]:
    about = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "envoy"}}
    return {**about, "data": {"envoy.yaml": text, "other": "text"}}


def test_a_bootstrap_is_no_manifest_and_a_manifest_is() -> None:
    assert is_manifest(OTHER)
    assert not is_manifest(shipped.document())
    assert not is_manifest({"configs": []})


def test_they_are_found_among_others() -> None:
    every = [OTHER, envoy_filter(SOCKET), *resources(SOCKET)]
    assert check_manifests(every, problems) == []
    for kind in ("List", "EnvoyFilterList"):
        assert check_manifests([{"kind": kind, "items": every}], problems) == []


def test_where_nothing_has_envoy_ask_that_is_said() -> None:
    [said] = check_manifests([OTHER], problems)
    assert said.startswith("nothing here has Envoy ask the sidecar")
    empty = envoy_filter(SOCKET)
    empty["spec"]["configPatches"] = []
    assert check_manifests([empty], problems) == [said]
    [backend, *_] = resources(SOCKET)
    assert check_manifests([backend], problems) == [said]


def test_a_bootstrap_in_a_config_map_is_one() -> None:
    document = shipped.document()
    assert check_manifests([config_map(to_yaml(document)), OTHER], problems) == []
    shipped.config(document, "ext_proc")["failure_mode_allow"] = True
    [said] = check_manifests([config_map(to_yaml(document))], problems)
    assert said.startswith("ConfigMap envoy: data[envoy.yaml]: static_resources.listeners[0]")
    assert "failure_mode_allow" in said


@pytest.mark.parametrize("text", ["static_resources: [", "a: 1\na: 2\nstatic_resources: {}\n"])
def test_a_bootstrap_that_envoy_might_read_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"ConfigMap envoy: data\[envoy.yaml\]"):
        check_manifests([config_map(text)], problems)


def test_a_message_that_says_a_thing_twice_is_refused() -> None:
    document = envoy_filter(SOCKET)
    config = document["spec"]["configPatches"][-1]["patch"]["value"]["typed_config"]
    config |= {"failureModeAllow": True, "failure_mode_allow": False}
    with pytest.raises(ConfigError, match="twice"):
        all_problems([document])


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ConfigError, match="several documents"):
        all_problems([shipped.document(), OTHER])


@pytest.mark.parametrize("value", ["text", 1, None, [], [1], {}])
@pytest.mark.parametrize(
    "place", ["metadata", "spec", "configPatches", "patch", "match", "extAuth", "extProc", "value"]
)
def test_manifests_of_any_shape_are_answered_with_sentences(place: str, value: Any) -> None:
    def spoil(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: value if k == place else spoil(v) for k, v in node.items()}
        return [spoil(each) for each in node] if isinstance(node, list) else node

    for documents in ([envoy_filter(SOCKET)], resources(SOCKET)):
        found = all_problems(spoil(documents))
        assert all(isinstance(sentence, str) for sentence in found)
        assert found or spoil(documents) == documents or place == "metadata"
