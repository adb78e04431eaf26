from typing import Any

import orjson
import pytest

from extproc.dialects.problem import PROBLEM, UNROUTED
from extproc.refusal import HEADERS_TOO_LARGE, INVALID_REQUEST, of_status
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


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 408, 413, 421, 426, 429, 431, 500, 502, 503, 504, 505]
)
def test_envoys_errors_have_the_words_of_the_sidecars(status: int) -> None:
    mapper = _mapper(status)
    override = mapper["body_format_override"]
    text = override["text_format_source"]["inline_string"].replace("%RESPONSE_CODE%", str(status))
    said = orjson.loads(text.replace("%%", "%"))
    known = {400: INVALID_REQUEST, 431: HEADERS_TOO_LARGE}.get(status) or of_status(status)
    if status not in {401, 421, 426, 505}:
        assert said == orjson.loads(UNROUTED.error(known))

    assert said["status"] == status
    assert said["detail"] == said["error"]["message"]
    added = {
        each["header"]["key"]: each["header"]["value"] for each in mapper.get("headers_to_add", ())
    }
    final = 400 <= status < 500 and status not in {408, 429}
    assert ({"content-type": override["content_type"]} | added) == {
        "content-type": PROBLEM,
        **({"retry-after": "1"} if status == 429 else {}),
        **({"x-should-retry": "false"} if final else {}),
    }


def test_what_the_sidecar_wrote_stays_whatever_its_status() -> None:
    """Held against the expression first, so that a refusal is not held against more than others."""
    first, *others = _mappers()
    assert [*first] == ["filter"]
    assert first["filter"]["extension_filter"]["typed_config"]["expression"] == (
        "response.code_details.startsWith('extproc_')"
        " || response.code_details == 'ext_authz_denied'"
    )
    assert all([*mapper["filter"]] == ["status_code_filter"] for mapper in others)
