from typing import Any

import orjson
import pytest

from extproc.dialects.openai_error import openai_error
from extproc.refusal import of_status
from tests.envoyconf import shipped


def _mapper(status: int) -> Any:
    """The mapper that decides about a status."""
    for mapper in shipped.manager(shipped.document())["local_reply_config"]["mappers"]:
        compared = mapper["filter"]["and_filter"]["filters"][0]["status_code_filter"]["comparison"]
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


def test_what_the_sidecar_wrote_stays() -> None:
    for status in (404, 413, 502, 503, 500, 400):
        _, ours = _mapper(status)["filter"]["and_filter"]["filters"]
        expression = ours["extension_filter"]["typed_config"]["expression"]
        assert expression == (
            "!response.code_details.startsWith('extproc_')"
            " && response.code_details != 'ext_authz_denied'"
        )
