from pathlib import Path
from typing import get_args

import orjson

from extproc.config import load
from extproc.config.routes import compile_routes
from extproc.demo import policy_file
from extproc.demo.cases import API, CASES
from extproc.dialects.gate import Terms
from extproc.prediction import KINDS


def test_every_api_is_asked_in_every_way() -> None:
    assert {case.api for case in CASES} == set(get_args(API))
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.body.get("encoding_format") for case in CASES} >= {"float", "base64"}
    assert any(case.body.get("stream") and case.body.get("logprobs") for case in CASES)
    assert any("reasoning_effort" in case.body for case in CASES)


def test_the_policy_lets_every_case_through(tmp_path: Path) -> None:
    config = load(policy_file.issue(tmp_path, policy_file.template()).policy)
    routes = compile_routes(config.document, config.settings)
    for case in CASES:
        (route,) = [each for each in routes if each.match(case.path) is not None]
        parameters = route.match(case.path)
        assert parameters is not None
        asked = route.dialect.read(orjson.dumps(case.body), parameters, Terms(KINDS))
        assert asked.query.model in {"digits", "minilm", "tiny-lm"}
        assert asked.query.inputs == 1
