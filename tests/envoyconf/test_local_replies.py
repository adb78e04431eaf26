from typing import Any

import orjson
import pytest

from extproc.dialects.openai_error import openai_error
from extproc.refusal import of_status
from tests.envoyconf import shipped


def _mappers() -> list[Any]:
    return shipped.manager(shipped.document())["local_reply_config"]["mappers"]  # type: ignore[no-any-return]


def _mapper(status: int) -> Any:
    """The mapper that decides about a status of Envoy's own."""
    for mapper in _mappers()[1:]:
        compared = mapper["filter"]["status_code_filter"]["comparison"]
        value = compared["value"]["default_value"]
        if status >= value if compared.get("op") == "GE" else status == value:
            return mapper
    raise AssertionError(status)


@pytest.mark.parametrize("status", [400, 403, 404, 408, 413, 426, 431, 500, 502, 503, 504])
def test_envoys_errors_have_the_words_of_the_sidecars(status: int) -> None:
    override = _mapper(status)["body_format_override"]
    text = override["text_format_source"]["inline_string"]

    assert override["content_type"] == "application/json"
    assert text.replace("%%", "%").encode() == openai_error(of_status(status))
    assert orjson.loads(text)["error"]["message"]


def test_what_the_sidecar_wrote_stays_whatever_its_status() -> None:
    """Held against the expression first, so that a refusal is not held against more than others."""
    first, *others = _mappers()
    assert [*first] == ["filter"]
    assert first["filter"]["extension_filter"]["typed_config"]["expression"] == (
        "response.code_details.startsWith('extproc_')"
        " || response.code_details == 'ext_authz_denied'"
    )
    assert all([*mapper["filter"]] == ["status_code_filter"] for mapper in others)
