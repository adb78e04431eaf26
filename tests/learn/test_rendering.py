"""The rules as YAML: what is printed is what a policy file takes."""

from pathlib import Path

import orjson
import pytest
import yaml

from extproc.config.routes import DIALECTS
from extproc.dialects import Generic
from extproc.errors import ConfigError
from extproc.learn.rendering import learn
from tests.config.example import changed, compiled

SAMPLE = {
    "id": "r-1",
    "results": [{"label": "s3cret", "score": 0.75}, {"label": "b", "score": 0.25}],
    "née": {"x": 31337.5},
    'say "hi"': 1.5,
    "took_ms": 31337,
}
PRINTED = """\
# Proposed from 1 sample: check each line.
# What is not named here does not pass.
dialect:
  kind: generic
  request: {}  # what a request may hold, such as {inputs: pass}
  answer:
    "results[].label": label  # 2 texts, 2 different, of at most 6 characters
    "results[].score": probabilities  # adds up to 1 over the items of 1 array
"""


def written(folder: Path, value: object) -> Path:
    path = folder / "sample.json"
    path.write_bytes(orjson.dumps(value))
    return path


def test_each_rule_has_its_evidence_beside_it(tmp_path: Path) -> None:
    sample = {"results": SAMPLE["results"]}
    assert f"{learn([written(tmp_path, sample)])}\n" == PRINTED


def test_no_value_of_a_sample_is_printed(tmp_path: Path) -> None:
    printed = learn([written(tmp_path, SAMPLE)])
    assert "s3cret" not in printed
    assert "31337" not in printed


def test_what_is_printed_loads_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, {name: SAMPLE[name] for name in SAMPLE if " " not in name})
    printed = learn([path, path])
    assert printed.startswith("# Proposed from 2 samples")
    route = printed.replace("\n", "\n    ")
    text = changed(
        (
            "  - {path: /v1/embeddings, dialect: openai_embeddings}\n",
            f"  - path: /predict\n    {route}\n",
        )
    )
    dialect = compiled(tmp_path, text).routes[0].dialect
    assert isinstance(dialect, Generic)
    assert dialect.answer == yaml.safe_load(printed)["dialect"]["answer"]
    assert dialect.answer["née.x"] == "score"
    assert DIALECTS["generic"] is Generic


@pytest.mark.parametrize("value", [5, {}, [], {"took_ms": 5}, {"a": None}])
def test_samples_of_which_nothing_could_pass_are_refused(tmp_path: Path, value: object) -> None:
    path = written(tmp_path, value)
    with pytest.raises(ConfigError, match="nothing in it that could pass"):
        learn([path])
