"""An API that a target file declares."""

from typing import Any

import numpy as np
import orjson
import pytest

from extproc.declared_api.description import Ask
from extproc.declared_api.json_place import parse
from extproc.redteam.adapters.declared import Asked, DeclaredClassifier, DeclaredEmbedding
from extproc.redteam.request import Reply


def _reply(document: object, status: int = 200) -> Reply:
    return Reply(status, (), orjson.dumps(document), 0, 0)


def _classifier(**changes: Any) -> DeclaredClassifier:
    body, headers = '{"rows": {{inputs}}, "n": {{count}}}', {"x-api-key": "{{key}}"}
    fields: dict[str, Any] = {
        "asked": Asked(Ask(path="/score", body=body, method="PUT", headers=headers)),
        "classes": 2,
        "scores": parse("scores"),
        "label": parse("labels"),
        "labels": ("cat", "dog"),
        "most": 10,
    }
    return DeclaredClassifier(**fields | changes)


def test_inputs_are_put_into_the_template_as_json() -> None:
    request = _classifier().request(np.array([[1.0, 2.5], [3.0, 4.0]]), 1)
    assert orjson.loads(request.body) == {"rows": [[1, 2.5], [3, 4]], "n": 2}
    assert (request.method, request.path, request.key, request.queries) == ("PUT", "/score", 1, 2)
    assert request.headers == {"x-api-key": "{{key}}"}


def test_scores_and_labels_are_read_by_the_names_of_the_classes() -> None:
    answers = _classifier().read(
        _reply({"scores": [[0.2, 0.8], [1, 0]], "labels": ["dog", "cat"]}), 2
    )
    assert answers.labels.tolist() == [1, 0]
    assert answers.scores is not None
    assert answers.scores.tolist() == [[0.2, 0.8], [1, 0]]
    assert answers.served.all()


def test_a_label_alone_is_an_answer_and_so_are_scores() -> None:
    labelled = _classifier().read(_reply({"labels": ["dog"]}), 1)
    assert (labelled.labels.tolist(), labelled.scores) == ([1], None)
    scored = _classifier(label=None).read(_reply({"scores": [0.1, 0.9]}), 1)
    assert scored.labels.tolist() == [1]


@pytest.mark.parametrize(
    "reply",
    [
        _reply({"labels": ["dog"]}, 429),
        _reply({"labels": ["horse"]}),
        _reply({"labels": ["dog", "dog"]}),
        _reply({"scores": ["much"]}),
        _reply({}),
        Reply(200, (), b"{", 0, 0),
    ],
)
def test_what_cannot_be_read_is_no_answer(reply: Reply) -> None:
    answers = _classifier().read(reply, 1)
    assert not answers.served.any()
    assert answers.labels.tolist() == [-1]


def test_vectors_are_read_as_wide_as_they_come() -> None:
    asked = Asked(Ask(path="/", body="{{inputs}}"))
    adapter = DeclaredEmbedding(asked, 3, parse("data[].v"), 5)
    assert orjson.loads(adapter.request(("a", "b"), 0).body) == ["a", "b"]
    vectors = adapter.read(_reply({"data": [{"v": [1, 2]}, {"v": [3, 4]}]}), 2)
    assert vectors.values.tolist() == [[1, 2], [3, 4]]
    for reply in (_reply({}), _reply({"data": [{"v": [1, 2, 3]}]}), _reply({}, 403)):
        nothing = adapter.read(reply, 2)
        assert nothing.values.shape == (2, 3)
        assert not nothing.served.any()
