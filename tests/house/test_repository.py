"""The repository keeps its own rules; what is excused from one says why, here."""

import re
import tomllib
from collections.abc import Callable, Iterable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import rules

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMMITTED = list(rules.committed(ROOT))
MODULES = [ROOT / path for path in rules.modules(ROOT)]
TESTS = [
    path
    for path in COMMITTED
    if path.is_relative_to(ROOT / "tests")
    and path.suffix == ".py"
    and path.parent.name != "scripts"  # run in an environment of their own
]
APART = {
    "tests/redteam/outside.py": "run by `make outside` with requirements-outside.lock alone",
}
EXTRAS_OF = {
    "requirements.lock": ("tracing",),
    "requirements-demo.lock": ("demo", "envoy", "up"),
    "requirements-redteam.lock": ("demo", "envoy", "redteam", "up"),
    "requirements-dev.lock": ("demo", "dev", "envoy", "redteam", "up"),
}

CONTRACTS = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
KINDS_OF_PLUGIN = {"credentials", "dialects", "framing", "mutators"}
SHARED_BY_PLUGINS = {
    "extproc.dialects.gathered",
    "extproc.dialects.kinds",
    "extproc.dialects.ended",
    "extproc.dialects.label_places",
    "extproc.dialects.knobs",
    "extproc.dialects.noted",
    "extproc.dialects.noticed",
    "extproc.dialects.mutation",
    "extproc.dialects.told",
    "extproc.dialects.ballots",
    "extproc.dialects.paid",
    "extproc.dialects.teachers",
    "extproc.dialects.counted",
    "extproc.dialects.allowing",
    "extproc.dialects.turns",
    "extproc.mutators._apportion_rows",
    "extproc.mutators._rows",
    "extproc.mutators.batch",
    "extproc.credentials.bearer",
    "extproc.credentials.claims",
    "extproc.credentials.jose",
    "extproc.credentials.key_set",
    "extproc.credentials.keyring",
    "extproc.credentials.proof",
    "extproc.credentials.public_key",
    "extproc.credentials.remembered",
    "extproc.credentials.requirement",
    "extproc.credentials.signature_base",
    "extproc.credentials.signature_fields",
    "extproc.credentials.signature_key",
    "extproc.dialects.answers",
    "extproc.dialects.cell",
    "extproc.dialects.csv_records",
    "extproc.dialects.csv_table",
    "extproc.dialects.declared",
    "extproc.dialects.dialect",
    "extproc.dialects.features",
    "extproc.dialects.gate",
    "extproc.dialects.gemini_logprobs",
    "extproc.dialects.google_error",
    "extproc.dialects.ollama",
    "extproc.dialects.sampling",
    "extproc.dialects.vector_places",
    "extproc.dialects.vectors",
    "extproc.dialects.walked",
    "extproc.dialects.cohere",
    "extproc.dialects.confidences",
    "extproc.dialects.inputs",
    "extproc.dialects.octets",
    "extproc.dialects.vllm",
    "extproc.dialects.batch",
    "extproc.dialects.grpc_dialect",
    "extproc.dialects.hidden",
    "extproc.dialects.unasked",
    "extproc.mutators.mutator",
    "extproc.dialects.json_path",
    "extproc.dialects.json_scanner",
    "extproc.dialects.lookalike",
    "extproc.dialects.multipart",
    "extproc.dialects.openai_error",
    "extproc.dialects.openai_logprobs",
    "extproc.dialects.openai_request",
    "extproc.dialects.openai_response",
    "extproc.dialects.openai_response_events",
    "extproc.dialects.openai_scores",
    "extproc.dialects.openai_usage",
    "extproc.dialects.ranking",
    "extproc.dialects.request",
    "extproc.dialects.shape",
    "extproc.dialects.tabular",
    "extproc.dialects.problem",
    "extproc.dialects.protobuf",
    "extproc.dialects.tensor",
    "extproc.dialects.tensorflow_tensor",
    "extproc.dialects.value_stream",
    "extproc.dialects.variants",
    "extproc.mutators._apportion",
    "extproc.mutators._domain",
    "extproc.mutators._norm",
    "extproc.mutators._rotation",
    "extproc.mutators.capacity",
}

UNMIRRORED = {
    "extproc/caps.py": "values without methods; tests/config/test_table.py reads them",
    "extproc/dialects/mutation.py": "types; tests/test_policy.py and the laws of laws/ call each",
    "extproc/server/answered.py": "values; tests/server/test_vault.py makes them",
    "extproc/auditor/grouping.py": "values; tests/auditor/test_query.py asks for sums by each",
    "extproc/envoyconf/parts.py": "two lines; the tests of istio hold them against the bootstrap",
    "extproc/config/audit_settings.py": "types; tests/config/test_audit.py reads every field",
    "extproc/config/settings.py": "types without methods; the tests of config read them from YAML",
    "extproc/events.py": "values without methods; every test of an exchange speaks in them",
    "extproc/mutators/mutator.py": "classes without methods; the tests of mutators make them all",
    "extproc/prediction.py": "values without methods; every test of a mutator makes them",
    "extproc/config/limit_settings.py": "types; tests/config/test_limits.py reads every field",
    "extproc/config/policies.py": "part of the table; tests/config/test_table.py reads that",
    "extproc/config/stores.py": "types; tests/stores/test_opened.py reads every field",
    "extproc/limits/charge.py": "values without methods; every test of a store makes them",
    "extproc/limits/counters.py": "protocols; tests/stores/contract.py is the proof of stores",
    "extproc/limits/memos.py": "a protocol; tests/stores/memos.py is the proof of stores",
    "extproc/redteam/adapters/adapter.py": "protocols; every adapter's own tests are their proof",
    "extproc/detectors/detector.py": "a protocol; the tests of each detector hold it to that",
    "extproc/detectors/observation.py": "values without methods; what makes features reads them",
    "extproc/redteam/attack.py": "values without methods; the tests of the roster read them all",
    "extproc/redteam/owner/kept.py": "values without methods; the tests of owners read them",
    "extproc/redteam/row.py": "values without methods; tests/redteam/test_trial.py reads them",
    "extproc/server/telemetry.py": "names of metrics; the tests of server read them all",
}
SHORTCUTS = {
    "tests/envoyconf/captured.py: pytest.mark.skipif": "the capture is no part of the project",
    "tests/e2e/test_order.py: pytest.skip": "only root may run programs as other users",
    "tests/e2e/test_upstream_faults.py: asyncio.sleep(0.05)": ("a slow upstream is what is tested"),
    "tests/image/conftest.py: pytest.mark.skipif": (
        "not every machine gives root, or has buildah, which .ci/run installs"
    ),
    "tests/k8s/test_schemas.py: pytest.mark.skipif": "those schemas are no part of the project",
    "tests/ownership/test_asking.py: asyncio.sleep(0.01)": "a slow suspect is what is tested",
    "tests/server/test_app.py: asyncio.sleep(0.01)": "a bounded wait: a process has no events",
    "tests/server/test_authz.py: asyncio.sleep(0.001)": "a bounded wait: a gauge has no events",
    "tests/server/test_replay.py: pytest.mark.skipif": "the trace is no part of the project",
    "tests/server/test_processor.py: asyncio.sleep(0.001)": (
        "a bounded wait: what is waited for has no events"
    ),
}


def _declared(*extras: str) -> list[str]:
    project = PROJECT["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(text for name in extras for text in optional[name])]


def _names(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def _found(rule: Callable[[Path], list[str]], paths: Iterable[Path]) -> list[str]:
    return [finding for path in paths for finding in rule(path)]


def test_every_module_has_a_test_file_of_its_own() -> None:
    assert rules.unmirrored(ROOT, UNMIRRORED) == []


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    assert _found(rules.foreign, COMMITTED) == []


def test_no_file_holds_what_a_merge_left() -> None:
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in COMMITTED}
    assert [path for path, text in texts.items() if "\n<<<<<<< " in text] == []


def test_no_pattern_takes_a_line_break_after_what_it_is_for() -> None:
    assert _found(rules.loose_patterns, MODULES) == []


def test_every_function_and_file_fits_the_eye() -> None:
    assert _found(rules.long_functions, MODULES) == []
    assert _found(rules.long_file, MODULES) == []


def test_no_test_sleeps_skips_or_mocks_without_a_reason() -> None:
    found = {finding.removeprefix(f"{ROOT}/") for finding in _found(rules.shortcuts, TESTS)}
    assert found == set(SHORTCUTS)


def test_every_requirement_is_pinned_with_its_hashes() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))

    assert {lock.name for lock in locks} == {
        *EXTRAS_OF,
        "requirements-clients.lock",
        "requirements-manifests.lock",
        "requirements-minilm.lock",
        "requirements-outside.lock",
        "requirements-sbom.lock",
    }
    assert _found(rules.unhashed, locks) == []


def test_what_is_imported_is_declared() -> None:
    provided = packages_distributions()

    run = _declared("audit", "demo", "envoy", "privacy", "redteam", "tracing", "up")
    tried = _declared("demo", "dev", "envoy", "redteam", "up")
    assert rules.undeclared(MODULES, _names(run), provided) == []
    beside = [path for path in TESTS if path.relative_to(ROOT).as_posix() not in APART]
    assert rules.undeclared(beside, _names(tried), provided) == []


def test_what_every_installation_carries_is_used() -> None:
    written = [*MODULES, *(ROOT / "extproc" / "_pb").rglob("*.py")]
    assert rules.unused(written, _names(_declared()), packages_distributions()) == []


@pytest.mark.parametrize("name", EXTRAS_OF)
def test_the_locks_hold_what_the_project_asks_for(name: str) -> None:
    wanted = [*PROJECT["build-system"]["requires"], *_declared(*EXTRAS_OF[name])]
    assert rules.unlocked(ROOT / name, wanted) == []


@pytest.mark.parametrize("smaller", sorted(EXTRAS_OF.keys() - {"requirements-dev.lock"}))
def test_the_smaller_locks_are_part_of_the_one_the_tests_run_on(smaller: str) -> None:
    assert set(rules.pinned(ROOT / smaller)) <= set(rules.pinned(ROOT / "requirements-dev.lock"))


def test_the_core_that_does_no_io_is_everything_below_the_configuration() -> None:
    layers = CONTRACTS["layers"]["layers"]
    below = layers[layers.index("config") + 1 :]

    core = {f"extproc.{name}" for layer in below for name in layer.split(" | ")}
    assert set(CONTRACTS["sans-io"]["source_modules"]) == core


def test_the_demo_server_is_kept_from_every_part_of_the_package() -> None:
    parts = {path.parts[1].removesuffix(".py") for path in rules.modules(ROOT)} | {"_pb"}

    kept_from = {f"extproc.{name}" for name in parts - {"__init__", "demo"}}
    assert set(CONTRACTS["demo-server"]["forbidden_modules"]) == kept_from


def test_every_plugin_is_kept_from_every_other() -> None:
    plugins = {
        ".".join(path.with_suffix("").parts)
        for path in rules.modules(ROOT)
        if path.parts[1] in KINDS_OF_PLUGIN and path.stem != "__init__"
    }
    assert {*CONTRACTS["plugins"]["modules"], *SHARED_BY_PLUGINS} == plugins


def test_make_and_the_guides_ask_for_the_python_that_is_required() -> None:
    """What is older would be installed for minutes, and then not start."""
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert f"sys.version_info < ({least.replace('.', ', ')})" in (ROOT / "Makefile").read_text()
    for guide in ("README.md", "CONTRIBUTING.md", "Dockerfile", "docs/deploy/image.md"):
        found = set(
            re.findall(r"[Pp]ython3?(?: of)? (3\.[0-9.]*[0-9])", (ROOT / guide).read_text())
        )
        assert found == {least}, guide
