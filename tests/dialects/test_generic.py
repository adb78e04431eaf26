"""An API that the policy declares: its requests, its answers and what cannot be declared."""

from typing import Any

import msgspec
import orjson
import pytest

from extproc.dialects import Generic
from extproc.dialects.answers import Document, Events, Lines
from extproc.dialects.gate import Terms
from extproc.dialects.problem import problem
from extproc.dialects.shape import Rewrite
from extproc.errors import ClientError
from extproc.mutators import Round
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from extproc.rewriter import body_rewriter
from tests.dialects.tiers import tier

YAML: dict[str, Any] = {
    "kind": "generic",
    "model": "model",
    "inputs": "texts",
    "stream": "options.stream",
    "request": {
        "model": "pass",
        "texts": "pass",
        "options.stream": "pass",
        "options.top_k": {"most": 5, "least": 1},
        "options.raw": {"force": False},
        "options.mode": {"only": ["fast", None]},
        "options.all_scores": {"needs": "probabilities"},
        "parts[].text": "pass",
        "debug": "drop",
    },
    "answer": {"results[].score": "score", "results[].label": "label", "id": "keep"},
}
ASKED: dict[str, Any] = {"model": "m", "texts": ["a", "b"], "options": {"raw": False}}


def generic(**fields: Any) -> Generic:
    given = {name: value for name, value in (YAML | fields).items() if value is not None}
    return msgspec.convert(given, Generic)


def sent(asked: dict[str, Any], terms: Terms, **fields: Any) -> Any:
    return orjson.loads(generic(**fields).read(orjson.dumps(asked), {}, terms).body)


class TestRequest:
    def test_what_needs_no_change_goes_on_byte_for_byte(self) -> None:
        original = orjson.dumps(ASKED, option=orjson.OPT_INDENT_2)
        asked = generic().read(original, {}, Terms(()))
        assert asked.body is original
        assert asked.query == Query("m", inputs=2)
        assert asked.inputs == ["a", "b"]

    def test_each_rule_changes_what_it_says(self) -> None:
        options = {"stream": True, "top_k": 50, "raw": True, "mode": "fast", "all_scores": True}
        asked = {"model": "m", "texts": "a", "options": options, "debug": {"x": 1}}
        read = generic().read(orjson.dumps(asked), {}, Terms({"label"}))
        assert read.query == Query("m", inputs=1, stream=True)
        assert orjson.loads(read.body) == {
            "model": "m",
            "texts": "a",
            "options": {"stream": True, "top_k": 5, "raw": False, "mode": "fast"},
        }
        assert read.changed == {
            "debug": 1,
            "options.top_k": 1,
            "options.raw": 1,
            "options.all_scores": 1,
        }

    def test_a_kind_that_is_granted_may_be_asked_for(self) -> None:
        asked = ASKED | {"options": {"raw": False, "all_scores": True}}
        assert sent(asked, Terms({"probabilities"})) == asked
        assert "all_scores" not in sent(asked, Terms({"label"}))["options"]

    def test_what_is_forced_is_set_where_it_is_not_asked_for(self) -> None:
        assert sent(ASKED | {"options": {}}, Terms(()))["options"] == {"raw": False}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"more": 1},
            {"Model": "x"},
            {"options": {"mode": "slow"}},
            {"options": {"top_k": "5"}},
            {"options": {"more": 1}},
            {"options": 5},
            {"parts": [{"image": 1}]},
            {"model": ""},
            {"model": 7},
            {"texts": []},
            {"texts": None},
            {"options": {"stream": "yes"}},
        ],
    )
    def test_what_is_not_declared_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ClientError):
            sent(ASKED | wrong, Terms(()))

    def test_unknown_fields_may_be_stripped_but_not_their_look_alikes(self) -> None:
        assert sent(ASKED | {"more": 1}, Terms(()), unknown="strip") == ASKED
        with pytest.raises(ClientError):
            sent(ASKED | {"DEBUG": 1}, Terms(()), unknown="strip")

    def test_the_path_may_name_the_model(self) -> None:
        body = orjson.dumps(ASKED)
        assert generic().read(body, {"model": "by-path"}, Terms(())).query.model == "by-path"

    def test_an_api_may_have_no_model_and_one_input(self) -> None:
        plain = generic(model=None, inputs=None, stream=None)
        asked = plain.read(orjson.dumps(ASKED), {}, Terms(()))
        assert asked.query == Query("", inputs=1)
        assert asked.inputs == (ASKED,)


class TestAnswer:
    def test_documents_events_and_lines_share_one_tree(self) -> None:
        answers = generic().answers()
        assert isinstance(answers["application/json"], Document)
        assert isinstance(answers["text/event-stream"], Events)
        assert isinstance(answers["application/x-ndjson"], Lines)
        assert isinstance(answers["application/jsonl"], Lines)

    @pytest.mark.parametrize(
        ("media_type", "body", "after"),
        [
            (
                "application/json",
                b'{"id":1,"results":[{"label":"a","score":0.77,"raw":9}],"x":1}',
                b'{"id":1,"results":[{"label":"a","score":0.8}]}',
            ),
            (
                "text/event-stream",
                b'event: s3cret\ndata: {"results":[{"score":0.77,"raw":9}]}\n\ndata: [DONE]\n\n',
                b'data: {"results":[{"score":0.8}]}\n\ndata: [DONE]\n\n',
            ),
            (
                "application/x-ndjson",
                b'{"results":[{"score":0.77}],"x":1}\n{"id":2}\n',
                b'{"results":[{"score":0.8}]}\n{"id":2}\n',
            ),
        ],
    )
    def test_each_framing_is_served_at_the_tier(
        self, media_type: str, body: bytes, after: bytes
    ) -> None:
        run = Rewrite(tier({"score": [Round(digits=1)], "label": []}), "m")
        rewriter = body_rewriter(generic().answers()[media_type], {}, run, 1 << 20)
        assert (
            b"".join([*filter(None, rewriter.feed(body)), *filter(None, rewriter.finish())])
            == after
        )

    def test_an_error_is_a_problem(self) -> None:
        assert generic().error(UNKNOWN_MODEL) == problem(UNKNOWN_MODEL)


class TestMistakes:
    def told(self, *parameters: str, **fields: Any) -> list[tuple[tuple[str, ...], str]]:
        return [(m.place, m.wrong) for m in generic(**fields).mistakes(parameters) if m.remedy]

    def test_what_works_has_none(self) -> None:
        assert self.told() == []
        assert self.told("name", model="name") == []
        assert self.told(inputs="parts", model=None, stream=None) == []
        assert self.told(stream="texts.stream") == []

    @pytest.mark.parametrize("answer", [{}, {"a": "drop"}, {"a.b": "drop", "c[]": "drop"}])
    def test_an_answer_of_which_nothing_passes(self, answer: Any) -> None:
        assert self.told(answer=answer) == [(("answer",), "nothing of an answer would pass")]

    def test_a_path_of_the_answer(self) -> None:
        wrong = "an embedding is the numbers of an array"
        assert self.told(answer={"a": "embedding"}) == [(("answer", "a"), wrong)]

    @pytest.mark.parametrize(
        ("request_rules", "path", "wrong"),
        [
            ({"a..b": "pass"}, "a..b", "not a path into a request"),
            ({"[]": "pass"}, "[]", "not a path into a request"),
            ({"a.*": "pass"}, "a.*", "not a path into a request"),
            (
                {"a": "pass", "a.b": "pass"},
                "a.b",
                "another path says that something else stands there",
            ),
            ({"a": {}}, "a", "not one rule"),
            ({"a": {"force": 1, "most": 2}}, "a", "not one rule"),
        ],
    )
    def test_a_path_of_the_request(self, request_rules: Any, path: str, wrong: str) -> None:
        told = self.told(request=request_rules, model=None, inputs=None, stream=None)
        assert told == [(("request", path), wrong)]

    @pytest.mark.parametrize("name", ["model", "inputs", "stream"])
    def test_a_field_that_no_request_may_hold(self, name: str) -> None:
        for field in ("debug", "more", "options.more"):
            assert self.told(**{name: field}) == [((name,), "no request may hold this field")]
        for field in ("texts[]", "*", "", "a..b"):
            assert self.told(**{name: field}) == [((name,), "not a path of names")]

    def test_a_parameter_of_the_path_names_the_model_alone(self) -> None:
        assert self.told("texts2", inputs="texts2") == [
            (("inputs",), "no request may hold this field")
        ]


def test_it_says_whether_its_classes_have_names() -> None:
    assert Generic(answer={"scores[]": "probabilities"}).positional()
    assert not Generic(answer={"scores.*": "probabilities"}).positional()
