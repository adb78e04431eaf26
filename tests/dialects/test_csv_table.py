"""A CSV answer: each column is what it was declared to be, and nothing else passes."""

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from extproc.dialects.answers import at_once
from extproc.dialects.csv_table import ColumnKind, CsvTable, read_inputs
from extproc.dialects.shape import Rewrite
from extproc.draw import Draw, Draws, Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop, LabelOnly, Quantize, Round, TopK, Truncate
from extproc.prediction import Prediction
from tests.dialects.tiers import OPEN, Edits, tier

TOPS = tier({"probabilities": [LabelOnly()], "score": [Round(digits=1)], "label": []})


def served(body: bytes, edits: Edits, *columns: ColumnKind) -> bytes:
    return at_once(CsvTable(columns).rewrite(body, {}, Rewrite(edits, "m"))).body


@pytest.mark.parametrize(
    "body", [b"tabby,0.7,0.3\nlynx,0.1,0.9", b'"a,b",.7,3e-1\r\n"c ""d""",+1,0.0\r\n']
)
def test_what_may_pass_leaves_byte_for_byte(body: bytes) -> None:
    assert served(body, OPEN, "label", "probabilities") is body
    assert served(body, OPEN, "label", "tensor") is body


def test_columns_of_one_vector_are_one_prediction() -> None:
    body = b"tabby,0.75,0.25\nlynx,0.5,0.5\n"
    assert served(body, TOPS, "label", "probabilities") == b"tabby,1.0,0.0\nlynx,1.0,0.0\n"
    cut = tier({"embedding": [Truncate(dimensions=2)]})
    assert served(b"0.6,0.0,0.8\n3,4,0\n", cut, "embedding") == b"1.0,0.0\n3.0,4.0\n"


def test_every_score_is_one_prediction() -> None:
    assert served(b"0.77,3,12.25\n", TOPS, "score") == b"0.8,3,12.2\n"


def test_columns_whose_kind_no_tier_names_go() -> None:
    body = b'"a,b",0.7,0.3,9\n"c",0.1,0.9,8\n'
    run = Rewrite({"label": None}, "m")
    kinds: tuple[ColumnKind, ...] = ("label", "probabilities", "probabilities", "drop")
    assert at_once(CsvTable(kinds).rewrite(body, {}, run)).body == b'"a,b"\nc\n'
    assert run.dropped == {"[probabilities]": 2, "[drop]": 2}
    withheld: Edits = {"label": None, **tier({"probabilities": [Drop()]})}
    withheld["probabilities"] = lambda _source, _prediction: None
    assert served(b"a,0.7\n", withheld, "label", "probabilities") == b"a\n"
    withheld["score"] = lambda _source, _prediction: None
    assert served(b"a,0.7\n", withheld, "label", "score") == b"a\n"


def test_an_answer_of_which_nothing_passes_is_refused() -> None:
    for kind in ("tensor", "drop", "probabilities"):
        with pytest.raises(UpstreamError, match="nothing that may pass"):
            served(b"0.5\n", {"label": None}, kind)


@pytest.mark.parametrize("kind", ["probabilities", "score", "embedding", "tensor"])
@pytest.mark.parametrize(
    "field",
    [
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "1e999",
        "1_000",
        "0x1p3",
        "1,5",
        "=1+1",
        "'1",
        "",
        "1 2",
        "0.5%",
        "\u0661",
        "1\x00",
        "+",
        ".",
        "1e",
    ],
)
def test_what_is_no_finite_number_does_not_pass(kind: ColumnKind, field: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        served(f'"{field}",0.5\n'.encode(), OPEN, kind)
    assert field not in str(caught.value) or len(field) < 3


@pytest.mark.parametrize(
    "label", ["=cmd|' /C calc'!A0", "@SUM(1)", "+a", "-a", " =1+1", "0.93", "0.9:2:cat", "1e-1"]
)
def test_a_label_is_neither_a_formula_nor_a_score(label: str) -> None:
    with pytest.raises(UpstreamError):
        served(f'"{label}",0.5\n'.encode(), OPEN, "label", "score")


@pytest.mark.parametrize("label", ["tabby", "-1", "+1", "7", "7.0", "a=b", "", "tiger cat"])
def test_names_and_indices_are_labels(label: str) -> None:
    body = f"{label},0.5\n".encode()
    assert served(body, OPEN, "label", "score") is body


@pytest.mark.parametrize("body", [b"", b"0.5\n\n0.5\n", b'0.5"\n', b"0.5,1\n0.5\n", b"\xff\n"])
def test_what_is_no_table_does_not_pass(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="not CSV"):
        served(body, OPEN, "score")


def test_a_record_has_a_field_for_every_column() -> None:
    with pytest.raises(UpstreamError, match="fewer fields"):
        served(b"a\n", OPEN, "label", "score")


def test_logits_that_are_declared_probabilities_do_not_pass() -> None:
    for edits in (OPEN, TOPS):
        with pytest.raises(UpstreamError, match="declared probabilities"):
            served(b"1.5,-2\n", edits, "probabilities")


def test_each_record_draws_as_the_answer_to_its_input() -> None:
    seen: list[bytes] = []

    def watch(source: Source | None, prediction: Prediction) -> Prediction:
        assert source is not None
        seen.append(source.input.key)
        return prediction

    draws = Draws(Draw(b"k"), (b"one", b"two"))
    for body in (b"1\n2\n", b"1,2\n"):
        run = Rewrite({"score": watch}, "m", draws)
        at_once(CsvTable(("score",)).rewrite(body, {}, run))
        assert run.at is None
    together = draws.of(None).input.key
    assert seen == [draws.of(0).input.key, draws.of(1).input.key, together, together]


@given(
    st.text('01.5e-+,"\n\r=ainf', max_size=24).map(str.encode) | st.binary(max_size=24),
    st.lists(
        st.sampled_from(["probabilities", "score", "embedding", "label", "tensor", "drop"]),
        min_size=1,
        max_size=3,
    ),
)
def test_only_our_own_error_escapes_and_what_comes_out_was_understood(
    body: bytes, columns: list[ColumnKind]
) -> None:
    edits = tier({"probabilities": [TopK(k=1)], "score": [Round(digits=0)], "label": []})
    edits |= tier({"embedding": [Quantize(bits=2)]})
    try:
        after = served(body, edits, *columns)
    except UpstreamError:
        return
    shown: list[ColumnKind] = [c for c in columns if c not in {"tensor", "drop"}]
    assert served(after, OPEN, *shown) is after
    for record in read_inputs(after):
        assert all(math.isfinite(f) for f in record if isinstance(f, float))


class TestInputs:
    def test_each_record_is_one_input(self) -> None:
        assert read_inputs(b"1,2\n3,a\n") == [[1.0, 2.0], [3.0, "a"]]
        assert read_inputs(b"x,y\n3,a\n", headed=True) == [[3.0, "a"]]

    def test_numbers_count_the_same_however_they_are_written(self) -> None:
        assert read_inputs(b"1.50,+2") == read_inputs(b"15e-1, 2")

    @pytest.mark.parametrize("body", [b"", b"\n", b"a\n\nb", b'a"', b"\xff"])
    def test_a_body_that_cannot_be_counted_is_refused(self, body: bytes) -> None:
        with pytest.raises(ClientError, match="CSV"):
            read_inputs(body)

    def test_names_alone_are_no_input(self) -> None:
        with pytest.raises(ClientError, match="no input"):
            read_inputs(b"x,y\n", headed=True)


@pytest.mark.parametrize("quote", ["", '"'])
def test_others_have_their_turn_between_records(quote: str) -> None:
    line = f"{quote}tabby{quote},0.75,0.25\n".encode()
    table = CsvTable(("label", "probabilities"))
    steps = table.rewrite(line * 2_000, {}, Rewrite(TOPS, "m"))
    assert sum(1 for _ in steps) > 30
    after = at_once(table.rewrite(line * 2_000, {}, Rewrite(TOPS, "m"))).body
    assert after == b"tabby,1.0,0.0\n" * 2_000
