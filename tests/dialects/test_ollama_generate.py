"""Ollama's completions: no template of the client's, no token ids, either way."""

from typing import Any

import httpx
import ollama
import orjson
import pytest

from extproc.dialects import OllamaGenerate
from extproc.dialects.gate import Terms
from extproc.errors import ClientError
from extproc.prediction import KINDS, Kind, Query
from tests.corpus import answers, body
from tests.dialects.replay import played, singly, walked
from tests.dialects.tiers import MODEL, OPEN, Edits, served

GENERATE = OllamaGenerate()
ANSWER = GENERATE.answer()
ASKED: dict[str, Any] = {"model": "qwen", "prompt": "hi"}
JSON, LINES = "application/json", "application/x-ndjson"
STREAM = body("ollama_generate/stream.jsonl")


class TestRequest:
    def test_what_a_tier_grants_goes_on(self) -> None:
        original = orjson.loads(body("ollama_generate/request.json"))
        asked = GENERATE.read(orjson.dumps(original), {}, Terms(KINDS))
        assert asked.query == Query("qwen3:0.6b", inputs=1, stream=True)
        del original["keep_alive"]
        assert orjson.loads(asked.body) == original
        assert asked.inputs == (("Be brief.", "What is 27 * 453?", "!", None),)

    def test_a_request_of_known_fields_goes_on_byte_for_byte(self) -> None:
        original = orjson.dumps(ASKED)
        assert GENERATE.read(original, {}, Terms(())).body is original

    @pytest.mark.parametrize("raw", [True, 1, 0, "true", {}])
    def test_the_models_template_stays(self, raw: Any) -> None:
        with pytest.raises(ClientError, match="'raw'"):
            GENERATE.read(orjson.dumps(ASKED | {"raw": raw}), {}, Terms(KINDS))
        for fine in (False, None):
            asked = orjson.dumps(ASKED | {"raw": fine})
            assert GENERATE.read(asked, {}, Terms(())).body is asked

    @pytest.mark.parametrize("unknown", ["template", "context", "messages", "width", "Raw", "x"])
    def test_an_unknown_argument_is_refused(self, unknown: str) -> None:
        with pytest.raises(ClientError, match="Unrecognized request argument"):
            GENERATE.read(orjson.dumps(ASKED | {unknown: True}), {}, Terms(KINDS))

    @pytest.mark.parametrize("prompt", [7, ["hi"], {}])
    def test_a_prompt_is_one_text(self, prompt: Any) -> None:
        with pytest.raises(ClientError, match="'prompt'"):
            GENERATE.read(orjson.dumps(ASKED | {"prompt": prompt}), {}, Terms(()))


class TestAnswer:
    def test_token_ids_pass_at_no_tier(self) -> None:
        left, dropped = served(ANSWER, body("ollama_generate/answer.json"), OPEN)
        whole = orjson.loads(body("ollama_generate/answer.json"))
        del whole["context"]
        assert left == whole
        assert dropped == {"*": 1}

    def test_nothing_but_text_passes_where_that_is_granted(self) -> None:
        left, _ = served(ANSWER, body("ollama_generate/answer.json"), {"text": None})
        assert left == {"model": MODEL, "response": "12231", "done": True, "done_reason": "stop"}

    @pytest.mark.parametrize("edits", [OPEN, {"text": None}, {}])
    def test_every_way_to_read_it_gives_the_same(self, edits: Edits) -> None:
        for document in answers("ollama_generate"):
            left, _ = served(ANSWER, document, edits)
            assert orjson.loads(walked(ANSWER, document, edits)) == left
        left = [served(ANSWER, each, edits)[0] for each in STREAM.splitlines()]
        for pieces in ([STREAM], singly(STREAM)):
            out = played(GENERATE.answers(), LINES, pieces, edits)
            assert [orjson.loads(each) for each in out.splitlines()] == left


@pytest.mark.parametrize("granted", [("text",), ("text", "usage", "timing"), KINDS])
def test_ollamas_client_reads_it(granted: tuple[Kind, ...]) -> None:
    content: dict[str, bytes] = {}

    def answered(request: httpx.Request) -> httpx.Response:
        kind = LINES if orjson.loads(request.content)["stream"] else JSON
        return httpx.Response(200, headers={"content-type": kind}, content=content[kind])

    client = ollama.Client(host="http://localhost", transport=httpx.MockTransport(answered))
    edits: Edits = dict.fromkeys(granted)
    whole = body("ollama_generate/answer.json")
    content[JSON] = played(GENERATE.answers(), JSON, [whole], edits)
    content[LINES] = played(GENERATE.answers(), LINES, [STREAM], edits)
    read = client.generate(MODEL, "hi")
    assert (read.response, read.context) == ("12231", None)
    assert read.thinking == ("s3cret" if "reasoning" in granted else None)
    parts = [*client.generate(MODEL, "hi", stream=True)]
    assert [part.response for part in parts] == ["", "12231", ""]
    assert parts[-1].eval_count == (2 if "usage" in granted else None)
