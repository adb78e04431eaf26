"""KServe v2: numbers to bytes, and back."""

import numpy as np
import orjson
import pytest

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.request import Reply

ADAPTER = Kserve("m", "x", 2)


def _reply(document: object, status: int = 200) -> Reply:
    return Reply(status, (), orjson.dumps(document), 0, 0)


def _outputs(status: int = 200, **data: list[float]) -> Reply:
    named = [{"name": name, "data": each} for name, each in data.items()]
    return _reply({"outputs": named}, status)


def test_a_request_is_one_tensor_of_rows() -> None:
    request = ADAPTER.request(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), 4)
    assert (request.path, request.key, request.queries) == ("/v2/models/m/infer", 4, 2)
    assert orjson.loads(request.body) == {
        "inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP64", "data": [1, 2, 3, 4, 5, 6]}]
    }


def test_scores_and_labels_are_read_whichever_come() -> None:
    both = ADAPTER.read(_outputs(probabilities=[0.2, 0.8, 0.9, 0.1], label=[0, 0]), 2)
    assert both.scores is not None
    assert both.scores.tolist() == [[0.2, 0.8], [0.9, 0.1]]
    assert both.labels.tolist() == [0, 0]
    scores = ADAPTER.read(_outputs(probabilities=[0.2, 0.8, 0.9, 0.1]), 2)
    assert scores.labels.tolist() == [1, 0]
    three = ADAPTER.read(_outputs(probabilities=[0.2, 0.8, 0.4, 0.6, 0.9, 0.1]), 3)
    assert three.labels.tolist() == [1, 1, 0], "of each row, and not of each class"
    labels = ADAPTER.read(_outputs(label=[1, 0]), 2)
    assert labels.scores is None
    assert labels.served.all()


def test_votes_are_read_as_shares_and_a_row_of_none_as_no_answer() -> None:
    read = ADAPTER.read(_outputs(votes=[30, 70, 0, 1, 0, 0]), 3)
    assert read.scores is not None
    assert read.scores[:2].tolist() == [[0.3, 0.7], [0, 1]]
    assert np.isnan(read.scores[2]).all()
    assert read.labels.tolist() == [1, 1, -1]
    assert read.served.tolist() == [True, True, False]


@pytest.mark.parametrize(
    "reply",
    [
        _reply({}, 429),
        _outputs(429, label=[1, 0]),
        _reply({}),
        _reply([]),
        _outputs(other=[1.0]),
        _outputs(probabilities=[0.5]),
        _outputs(votes=[1.0]),
        Reply(200, (), b"<html>", 0, 0),
    ],
)
def test_what_cannot_be_read_was_not_served(reply: Reply) -> None:
    assert not ADAPTER.read(reply, 2).served.any()
