"""Tables of predictions: rows and columns of declared outputs, and how many inputs they answer."""

from typing import Any

import msgspec
import orjson
import pytest

from extproc.dialects import Dialect
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Node, Rewrite
from extproc.dialects.tabular import TabularDialect, rows_of, transposed
from extproc.draw import Draw, Draws, Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly
from extproc.prediction import Prediction
from extproc.rewriter import body_rewriter
from tests.corpus import sweep
from tests.dialects.tiers import OPEN, Edits, served, tier

TABLE = TabularDialect(outputs={"probs": "probabilities", "class": "label"}, output="score")
HERE = {"generic", "mlflow", "sagemaker", "seldon_v1", "tensorflow_rest", "torchserve"}
HERE |= {"vertex_predict"}
EXCHANGES = sweep(HERE)


def rewritten(node: Node, value: Any, edits: Edits) -> Any:
    return served(node, orjson.dumps(value), edits)[0]


def test_a_row_is_named_outputs_or_one_without_a_name() -> None:
    tops = {**tier({"probabilities": [LabelOnly()]}), "label": None, "score": None}
    rows = [{"probs": [0.75, 0.25], "class": "a", "logits": [3.5]}, 0.5, [0.5, 1.5], None]
    after = [{"probs": [1, 0], "class": "a"}, 0.5, [0.5, 1.5], None]
    assert rewritten(TABLE.by_row(), rows, tops) == after


def test_columns_are_named_outputs_or_one_without_a_name() -> None:
    tops = {**tier({"probabilities": [LabelOnly()]}), "label": None, "score": None}
    columns = {"probs": [[0.75, 0.25]], "class": ["a"], "logits": [[3.5]]}
    after = {"probs": [[1, 0]], "class": ["a"]}
    assert rewritten(TABLE.by_column(), columns, tops) == after
    assert rewritten(TABLE.by_column(), [0.5, 1.5], tops) == [0.5, 1.5]
    assert rewritten(TABLE.by_column(), 0.5, tops) == 0.5
    assert rewritten(TABLE.by_column(), columns, {"label": None}) == {"class": ["a"]}


def test_an_output_without_a_name_is_a_tensor_unless_it_is_declared() -> None:
    undeclared = TabularDialect()
    assert rewritten(undeclared.by_row(), [[3.5], {"a": 1}], {"tensor": None}) == [[3.5], {}]
    closed: Edits = {kind: None for kind in OPEN if kind != "tensor"}
    assert rewritten(undeclared.by_row(), [[3.5], {"a": 1}], closed) == [{}]


@pytest.mark.parametrize("by", ["by_row", "by_column"])
def test_rows_and_columns_draw_alike_for_the_same_input(by: str) -> None:
    seen: list[bytes] = []

    def watch(source: Source | None, prediction: Prediction) -> Prediction:
        assert source is not None
        seen.append(source.input.key)
        return prediction

    draws = Draws(Draw(b"k"), (b"one", b"two"))
    node: Node = getattr(TABLE, by)()
    node.rewrite([0.5, 0.25], Rewrite({"score": watch}, "m", draws), "")
    assert seen == [draws.of(0).input.key, draws.of(1).input.key]


def test_rows_are_counted() -> None:
    assert rows_of([1, 2], "x") == [1, 2]
    wrongs: list[Any] = [[], None, {}, "a", 5]
    for wrong in wrongs:
        with pytest.raises(ClientError, match="'x' must be a non-empty array"):
            rows_of(wrong, "x")


class TestColumns:
    def test_they_are_as_many_inputs_as_the_longest_has(self) -> None:
        found = transposed({"a": [1, 2], "b": ["x", "y", "z"]}, "inputs")
        rest = [{name: row[name] for name in row if name} for row in found]
        assert rest == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"b": "z"}]

    def test_what_all_rows_share_is_part_of_each(self) -> None:
        one, two = transposed({"a": [1, 2], "b": 5}, ""), transposed({"a": [1, 2], "b": 6}, "")
        assert one != two
        assert one[0][""] is one[1][""]
        assert len(transposed({"b": 5}, "")) == 1

    def test_a_column_without_a_name_is_one(self) -> None:
        assert transposed([1, 2], "inputs") == [1, 2]
        assert transposed(0.5, "inputs") == [0.5]

    @pytest.mark.parametrize("wrong", [{}, [], {"a": []}, {"a": [1], "b": []}])
    def test_nothing_is_no_input(self, wrong: Any) -> None:
        with pytest.raises(ClientError, match="empty"):
            transposed(wrong, "inputs")

    def test_many_features_and_many_rows_cost_no_more_than_their_sum(self) -> None:
        columns: dict[str, Any] = {f"s{at}": at for at in range(20_000)}
        columns |= {f"c{at}": [at] for at in range(20_000)} | {"long": list(range(20_000))}
        found = transposed(columns, "inputs")
        assert sum(map(len, found)) == 3 * 20_000


@pytest.mark.parametrize("name", EXCHANGES)
def test_no_planted_secret_reaches_a_caller_of_labels_and_texts(name: str) -> None:
    exchange = EXCHANGES[name]
    given = exchange["dialect"]
    dialect: Any = msgspec.convert({"kind": given} if isinstance(given, str) else given, Dialect)
    request, answer = exchange["request"], exchange["answer"]
    body = request["text"].encode() if "text" in request else orjson.dumps(request)
    fields = {"content-type": exchange["content_type"], "model": "m", **exchange["headers"]}
    asked = dialect.read(body, fields, Terms({"text", "label"}))
    whole = answer["text"].encode() if "text" in answer else orjson.dumps(answer)
    run = Rewrite({"text": None, "label": None}, "m")
    framing = dialect.answers()[exchange["answer_headers"]["content-type"]]
    rewriter = body_rewriter(framing, exchange["answer_headers"], run, 1 << 20)
    try:
        after = b"".join([*filter(None, rewriter.feed(whole)), *filter(None, rewriter.finish())])
    except UpstreamError as error:
        raise AssertionError(f"refused: {error}") from error
    assert asked.query.inputs >= 1
    assert b"s3cret" not in after
    assert b"31337" not in after
    assert b"31337" in whole or b"s3cret" in whole


def test_only_their_places_name_the_classes_of_declared_probabilities() -> None:
    assert TABLE.positional()
    assert TabularDialect(output="probabilities").positional()
    assert not TabularDialect(outputs={"class": "label"}).positional()
