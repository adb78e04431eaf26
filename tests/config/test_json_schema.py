import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from extproc.config import base_schema, compile_table, load, schema
from extproc.errors import ConfigError
from tests.config.example import ENVIRON, TEXT, changed, compiled, write

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "envoy" / "policy.yaml"
VALIDATOR = jsonschema_rs.Draft202012Validator(schema())


def test_the_committed_schema_is_current() -> None:
    committed = (ROOT / "docs" / "extproc.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(schema(), indent=2) + "\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("health: 127.0.0.1:9101", r'health: "127.0.0.1:9101\n"'),
        ('hmac: "env:HMAC"', r'hmac: "env:HMAC\n"'),
        ("window: 1s", r'window: "1s\n"'),
        ("name: burst", r'name: "burst\n"'),
        ("policy: trial", r'policy: "trial\n"'),
    ],
)
def test_a_line_break_at_the_end_is_refused_by_editors_and_by_us(
    tmp_path: Path, old: str, new: str
) -> None:
    text = changed((old, new))
    assert not VALIDATOR.is_valid(yaml.safe_load(text))
    with pytest.raises(ConfigError):
        load(write(tmp_path, text))


def test_the_committed_schema_of_the_base_file_is_current() -> None:
    committed = (ROOT / "docs" / "extproc-base.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(base_schema(), indent=2) + "\n"


@pytest.mark.parametrize(
    ("given", "valid"),
    [
        ({"policies": {"*": {"mode": "enforce", "allow": {"tools": False}}}}, True),
        ({"routes": {"openai_*": {"risk": "high"}}}, True),
        ({"routes": [{"path": "/v1/x", "dialect": "openai_chat"}]}, True),
        ({"fidelities": {"*": {"tensor": [{"kind": "drop"}]}}}, True),
        ({"policies": {"*": {"mod": "enforce"}}}, False),
        ({"routes": [{"path": "/v1/x", "dialect": "openai_cht"}]}, False),
        ({"routes": {"*": {"dialect": "openai_cht"}}}, False),
        ({"fidelities": {"*": {"tensors": "pass"}}}, False),
    ],
)
def test_editors_see_the_mistakes_of_a_base_file(given: Any, *, valid: bool) -> None:
    validator = jsonschema_rs.Draft202012Validator(base_schema())
    for layer in ("defaults", "overrides"):
        assert validator.is_valid({"version": 1, layer: given}) is valid


def test_the_shipped_policy_file_is_valid_and_compiles(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    VALIDATOR.validate(yaml.safe_load(text))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "hmac").write_text("f" * 64 + "\n", encoding="utf-8")
    assert compiled(tmp_path, text).tenants.keys() == {f"key:{'0' * 64}"}


def test_the_shipped_policy_file_names_the_schema() -> None:
    first = SHIPPED.read_text(encoding="utf-8").partition("\n")[0]
    _, _, path = first.partition("yaml-language-server: $schema=")
    assert (SHIPPED.parent / path).resolve() == ROOT / "docs" / "extproc.schema.json"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("drain",), "30"),
        (("fidelities", "full", "probs"), "pass"),
        (("fidelities", "full", "text"), []),
        (("routes", 0, "dialect"), "cohere"),
        (("tenants", "acme", "principals", 0), "key:1"),
        (("unknown",), 1),
    ],
)
def test_editors_see_the_mistakes_of_names_and_texts(
    place: tuple[str | int, ...], value: Any
) -> None:
    data = yaml.safe_load(TEXT)
    assert VALIDATOR.is_valid(data)
    assert not VALIDATOR.is_valid(_with(data, place, value))


_PLACES = st.sampled_from(
    [
        ("version",),
        ("listen",),
        ("admin",),
        ("store",),
        ("store", "max_counters"),
        ("keys", "hmac"),
        ("caps",),
        ("caps", "held"),
        ("drain",),
        ("routes",),
        ("routes", 0),
        ("routes", 0, "path"),
        ("routes", 0, "dialect"),
        ("routes", 1, "dialect", "outputs"),
        ("routes", 2, "method"),
        ("fidelities", "full"),
        ("fidelities", "full", "embedding"),
        ("fidelities", "standard", "probabilities", 0),
        ("fidelities", "standard", "probabilities", 0, "k"),
        ("policies", "trial", "models"),
        ("policies", "partner", "limits", 0, "max"),
        ("policies", "partner", "limits", 0, "window"),
        ("tenants", "acme", "policy"),
        ("tenants", "acme", "principals"),
    ]
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "1s",
            "1MiB",
            "full",
            "pass",
            "partner",
            "GET",
            "/v1/x",
            "status",
            "openai_chat",
            "env:HMAC",
        ]
    )
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["kind", "text", "k", "held", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(place=_PLACES, value=_VALUES)
def test_what_the_schema_refuses_never_loads(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str | int, ...], value: Any
) -> None:
    """And whatever is wrong is told as a ConfigError with its line."""
    data = _with(yaml.safe_load(TEXT), place, value)
    path = write(tmp_path_factory.getbasetemp(), json.dumps(data))
    try:
        compile_table(load(path), ENVIRON)
    except ConfigError as error:
        assert str(error).startswith(f"{path}:1: ")  # noqa: PT017 - most of these are refused
    else:
        VALIDATOR.validate(data)


def _with(data: Any, place: tuple[str | int, ...], value: Any) -> Any:
    *around, last = place
    inside = data
    for step in around:
        inside = inside.setdefault(step, {}) if isinstance(inside, dict) else inside[step]
    inside[last] = value
    return data
