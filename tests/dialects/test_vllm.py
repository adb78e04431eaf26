"""What the pooling APIs share: no request turns off what stands between it and raw numbers."""

from typing import Any

import orjson
import pytest

from extproc.dialects import VllmClassify, VllmPooling, VllmScore
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Keep
from extproc.dialects.vllm import answer
from extproc.prediction import KINDS
from tests.dialects.tiers import OPEN, leaves, served
from tests.dialects.ways import refusing

ASKED: dict[Any, dict[str, Any]] = {
    VllmClassify(): {"model": "m", "input": "a"},
    VllmPooling(): {"model": "m", "input": "a"},
    VllmScore(): {"model": "m", "text_1": "a", "text_2": "b"},
}


@pytest.mark.parametrize("dialect", ASKED)
@pytest.mark.parametrize("switch", ["use_activation", "activation", "softmax", "normalize"])
def test_a_switch_passes_only_where_it_asks_for_what_comes_anyway(
    dialect: Any, switch: str
) -> None:
    asked = ASKED[dialect]
    for harmless in (True, None):
        assert not refusing(dialect, asked | {switch: harmless})
    raws: list[Any] = [False, 0, "false", [], {}]
    for raw in raws:
        assert switch in refusing(dialect, asked | {switch: raw})


@pytest.mark.parametrize("dialect", ASKED)
@pytest.mark.parametrize("name", ["priority", "request_id", "mm_processor_kwargs", "messages"])
def test_what_is_not_known_is_refused(dialect: Any, name: str) -> None:
    assert name in refusing(dialect, ASKED[dialect] | {name: 1}, Terms(KINDS))


@pytest.mark.parametrize("dialect", ASKED)
def test_the_salt_of_a_prefix_cache_is_the_tenants_own(dialect: Any) -> None:
    for mine in ({}, {"cache_salt": "mine"}):
        original = orjson.dumps(ASKED[dialect] | mine)
        asked = dialect.read(original, {}, Terms((), salt="theirs"))
        assert orjson.loads(asked.body) == ASKED[dialect] | {"cache_salt": "theirs"}
        assert asked.changed == ({"cache_salt": 1} if mine else {})
        unsalted = dialect.read(original, {}, Terms(()))
        assert orjson.loads(unsalted.body) == ASKED[dialect]


@pytest.mark.parametrize("dialect", ASKED)
@pytest.mark.parametrize("model", [None, "", 7, ["m"]])
def test_a_model_is_named_by_a_string(dialect: Any, model: Any) -> None:
    assert "'model'" in refusing(dialect, ASKED[dialect] | {"model": model})


def test_the_detail_of_a_usage_is_of_a_kind_of_its_own() -> None:
    details = {"cached_tokens": 4, "audio_tokens": 1}
    usage = {"prompt_tokens": 9, "total_tokens": 9, "prompt_tokens_details": details}
    tree, document = answer({"x": Keep()}), orjson.dumps({"usage": usage})
    plain = {"usage.prompt_tokens", "usage.total_tokens"}
    assert set(leaves(served(tree, document, {"usage": None})[0])) == plain
    detailed = set(leaves(served(tree, document, OPEN)[0]))
    assert detailed == plain | {"usage.prompt_tokens_details.cached_tokens"}
    assert served(tree, document, {"usage_detail": None})[0] == {}
