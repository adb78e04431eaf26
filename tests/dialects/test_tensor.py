from functools import partial
from math import prod
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from extproc.dialects.answers import at_once
from extproc.dialects.shape import Rewrite
from extproc.dialects.tensor import (
    MOST_STRINGS,
    OutputKind,
    check_labels,
    check_raw,
    flat,
    names,
    narrowed,
    passing,
    reduced,
    sized,
    strings,
    widened,
)
from extproc.draw import Draw, Draws, Source
from extproc.errors import Malformed, UpstreamError
from extproc.mutators import (
    LabelOnly,
    Mutator,
    Quantize,
    Rotate,
    Round,
    Similarity,
    Steps,
    TopK,
    Truncate,
    mutate,
)
from extproc.prediction import Embedding, Logprobs, Prediction, Probabilities, Score, Token
from tests.dialects.tiers import OPEN, Edits, tier

F4 = np.array([0.5, 0.25], "<f4").tobytes()


class TestShape:
    @pytest.mark.parametrize("shape", [[], [0], [2, 3], [1] * 32])
    def test_sizes_are_a_shape(self, shape: list[int]) -> None:
        assert sized(shape)

    @pytest.mark.parametrize("shape", [None, 2, (2,), [-1], [2.0], [True], ["2"], [1] * 33])
    def test_anything_else_is_none(self, shape: Any) -> None:
        assert not sized(shape)


class TestRaw:
    @given(
        st.sampled_from(["FP16", "FP32", "FP64", "BF16"]),
        hnp.arrays(np.float32, st.integers(0, 9), elements=st.floats(width=16, allow_nan=False)),
    )
    def test_what_a_datatype_has_comes_back(self, datatype: str, values: Any) -> None:
        octets = narrowed(values.astype(np.float64), datatype)
        assert narrowed(widened(octets, datatype), datatype) == octets

    @given(st.floats(1e-30, 1e30))
    def test_bf16_is_the_nearest_there_is(self, value: float) -> None:
        bits = int.from_bytes(narrowed(np.array([value]), "BF16"), "little")
        off = [
            abs(widened((bits + step).to_bytes(2, "little"), "BF16")[0] - float(np.float32(value)))
            for step in (-1, 0, 1)
        ]
        assert off[1] == min(off)

    def test_what_is_too_large_is_infinite(self) -> None:
        for datatype in ("FP16", "FP32"):
            assert widened(narrowed(np.array([1e300]), datatype), datatype)[0] == np.inf

    @pytest.mark.parametrize(
        ("datatype", "size"),
        [("BOOL", 1), ("INT8", 1), ("UINT16", 2), ("INT32", 4), ("UINT64", 8), ("BF16", 2)],
    )
    def test_a_tensor_fills_its_shape(self, datatype: str, size: int) -> None:
        check_raw(memoryview(b"x" * 6 * size), datatype, [2, 3])
        for octets in (b"", b"x" * 5 * size, b"x" * 7 * size, b"x" * (6 * size + 1)):
            with pytest.raises(Malformed, match="fill its shape"):
                check_raw(memoryview(octets), datatype, [2, 3])

    @given(st.lists(st.binary(max_size=5), max_size=4))
    def test_strings_stand_behind_their_lengths(self, items: list[bytes]) -> None:
        octets = b"".join(len(item).to_bytes(4, "little") + item for item in items)
        assert [bytes(item) for item in strings(memoryview(octets))] == items
        check_raw(memoryview(octets), "BYTES", [len(items)])
        with pytest.raises(Malformed):
            check_raw(memoryview(octets + b"\x05"), "BYTES", [len(items) + 1])

    @pytest.mark.parametrize("octets", [b"\x01", b"\x05\0\0\0abcd", b"\xff\xff\xff\xffabc"])
    def test_strings_are_whole(self, octets: bytes) -> None:
        with pytest.raises(Malformed, match="cut short"):
            [*strings(memoryview(octets))]

    def test_strings_are_bounded(self) -> None:
        assert len([*strings(memoryview(b"\0\0\0\0" * MOST_STRINGS))]) == MOST_STRINGS
        with pytest.raises(Malformed, match="more than"):
            [*strings(memoryview(b"\0\0\0\0" * (MOST_STRINGS + 1)))]

    def test_an_unknown_datatype_is_none(self) -> None:
        with pytest.raises(Malformed, match="unknown datatype"):
            check_raw(memoryview(b"x"), "FP8", [1])

    def test_a_name_is_read_whatever_it_holds(self) -> None:
        assert [*names([memoryview(b"a\xff")])] == ["a�"]


def test_labels_carry_no_score() -> None:
    check_labels("BYTES", ["tabby", "a:1:b"], "outputs[]")
    with pytest.raises(UpstreamError, match="hides scores"):
        check_labels("BYTES", ["tabby", "0.9:281:tabby"], "outputs[]")
    with pytest.raises(UpstreamError, match="fractions"):
        check_labels("FP32", [], "outputs[]")


def test_nested_data_is_made_flat() -> None:
    assert flat([[1, 2], [3, 4]], 2) == [1, 2, 3, 4]
    assert flat([], 3) == []
    with pytest.raises(TypeError):
        flat([[1], 2], 2)


class TestPassing:
    def test_a_tensor_that_is_not_changed_is_not_copied(self) -> None:
        octets = memoryview(F4)
        for kind in ("probabilities", "score", "embedding", "tensor"):
            steps = passing(octets, "FP32", [1, 2], kind, Rewrite(OPEN, "m"), "p")
            after = at_once(steps)
            assert after is not None
            assert after[0] is octets
        one_hot = memoryview(np.array([1, 0], "<f4").tobytes())
        run = Rewrite(tier({"probabilities": [LabelOnly()]}), "m")
        after = at_once(passing(one_hot, "FP32", [2], "probabilities", run, "p"))
        assert after is not None
        assert after[0] is one_hot

    def test_labels_pass_as_they_are(self) -> None:
        octets = memoryview(b"\x03\0\0\0cat")
        after = at_once(passing(octets, "BYTES", [1], "label", Rewrite(OPEN, "m"), "p"))
        assert after == (octets, [1])

    def test_an_empty_tensor_is_anything(self) -> None:
        run = Rewrite(tier({"probabilities": [LabelOnly()]}), "m")
        empty = memoryview(b"")
        after = at_once(passing(empty, "INT32", [0, 4], "probabilities", run, "p"))
        assert after == (empty, [0, 4])

    def test_a_vector_becomes_shorter_with_its_shape(self) -> None:
        run = Rewrite(tier({"embedding": [Truncate(dimensions=1)]}), "m")
        after = at_once(passing(memoryview(F4), "FP32", [1, 2], "embedding", run, "p"))
        assert after == (F4[:4], [1, 1])

    def test_a_tensor_that_is_not_what_it_says_is_the_servers_fault(self) -> None:
        with pytest.raises(UpstreamError, match="p: a tensor does not fill its shape"):
            at_once(passing(memoryview(F4), "FP32", [3], "tensor", Rewrite(OPEN, "m"), "p"))

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            return Logprobs(Token("a", -1.0), ())

        with pytest.raises(TypeError, match="changed the kind"):
            at_once(reduced(np.array([0.5]), [1], "score", Rewrite({"score": confused}, "m"), "p"))


class TestProbabilities:
    @pytest.mark.parametrize("width", [2, 100])
    @pytest.mark.parametrize("rows", [1, 3])
    @pytest.mark.parametrize("wrong", [-0.1, 1.5, np.nan, np.inf, -np.inf])
    def test_a_single_wrong_number_is_found_wherever_it_stands(
        self, rows: int, width: int, wrong: float
    ) -> None:
        run = Rewrite(OPEN, "m")
        numbers = np.full(rows * width, 0.5 / width)
        kept = at_once(reduced(numbers, [rows, width], "probabilities", run, "p"))
        assert kept is numbers
        for at in (0, width - 1, rows * width - 1):
            broken = numbers.copy()
            broken[at] = wrong
            with pytest.raises(UpstreamError, match="declared probabilities"):
                at_once(reduced(broken, [rows, width], "probabilities", run, "p"))


class TestDraws:
    """Which input a row answers; None where it is not known."""

    @pytest.mark.parametrize(
        ("kind", "shape", "asked", "answered"),
        [
            ("probabilities", [3, 2], 3, [0, 1, 2]),
            ("probabilities", [2, 2, 2], 2, [0, 0, 1, 1]),
            ("probabilities", [2, 2], 3, [None, None]),
            ("probabilities", [2], 1, [None]),
            ("embedding", [3, 2], 3, [0, 1, 2]),
            ("score", [3], 3, [0, 1, 2]),
            ("score", [2, 2], 2, [0, 0, 1, 1]),
            ("score", [], 1, [None]),
        ],
    )
    def test_a_row_draws_for_the_input_it_answers(
        self, kind: OutputKind, shape: list[int], asked: int, answered: list[int | None]
    ) -> None:
        seen: list[bytes] = []

        def watch(source: Source | None, prediction: Prediction) -> Prediction:
            assert source is not None
            seen.append(source.input.key)
            return prediction

        draws = Draws(Draw(b"k"), [bytes([number]) for number in range(asked)])
        run = Rewrite({kind: watch}, "m", draws)
        numbers = np.full(int(np.prod(shape)), 0.25)
        assert at_once(reduced(numbers, shape, kind, run, "p")) is numbers
        assert seen == [draws.of(at).input.key for at in answered]
        assert run.at is None


def test_others_have_their_turn_between_rows() -> None:
    def halved(_source: Source | None, prediction: Prediction) -> Prediction:
        assert isinstance(prediction, Probabilities)
        return Probabilities(prediction.values / 2)

    at_once_: Edits = tier({"score": [Round(digits=0)], "probabilities": [Round(digits=1)]})
    one_by_one: Edits = {"probabilities": halved}
    for edits, kind, rows, width, turns in (
        (at_once_, "score", 8000, 1, 3),
        (at_once_, "probabilities", 100, 1000, 3),
        (one_by_one, "probabilities", 30, 1000, 3),
    ):
        run = Rewrite(edits, "m")
        numbers = np.full(rows * width, 0.3 / width)
        steps = reduced(numbers, [rows, width], kind, run, "p")  # type: ignore[arg-type]
        assert sum(1 for _ in steps) == turns


@pytest.mark.parametrize("kind", ["probabilities", "score", "embedding"])
@pytest.mark.parametrize("shape", [[5, 3], [40, 1000], [9000, 2], [2, 2, 2]])
def test_rows_at_once_are_what_they_are_one_by_one(kind: OutputKind, shape: list[int]) -> None:
    chain = _CHAINS[kind]
    numbers = np.random.default_rng(7).dirichlet(np.ones(shape[-1]), prod(shape[:-1])).ravel()
    together = at_once(reduced(numbers, shape, kind, Rewrite(tier({kind: chain}), "m"), "p"))
    alone: Edits = {kind: partial(mutate, chain)}
    by_row = at_once(reduced(numbers, shape, kind, Rewrite(alone, "m"), "p"))
    assert together is not None
    assert by_row is not None
    assert (together.shape, together.tobytes()) == (by_row.shape, by_row.tobytes())
    same = numbers if kind != "score" else np.round(numbers * 4) / 4
    run = Rewrite(tier({kind: [_SAME[kind]]}), "m")
    assert at_once(reduced(same, shape, kind, run, "p")) is same


_CHAINS: dict[OutputKind, list[Mutator]] = {
    "probabilities": [TopK(k=2), Round(digits=1)],
    "score": [Round(digits=1)],
    "embedding": [Truncate(dimensions=2), Quantize(bits=4)],
}
_SAME: dict[OutputKind, Mutator] = {
    "probabilities": TopK(k=1000),
    "score": Steps(least=0.0, step=0.25, values=5),
    "embedding": Truncate(dimensions=1000),
}


@given(
    st.sampled_from(["probabilities", "score", "embedding"]),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_a_row_is_one_prediction_of_its_kind(kind: OutputKind, rows: int, width: int) -> None:
    seen: list[Prediction] = []

    def watch(_source: Source | None, prediction: Prediction) -> Prediction:
        seen.append(prediction)
        return prediction

    numbers = np.linspace(0, 1 / width, rows * width)
    at_once(reduced(numbers, [rows, width], kind, Rewrite({kind: watch}, "m"), "p"))
    types = {"probabilities": Probabilities, "score": Score, "embedding": Embedding}
    assert {type(each) for each in seen} == {types[kind]}
    assert len(seen) == (rows * width if kind == "score" else rows)


class TestComparison:
    NUMBERS = np.array([3.0, 0.0, 0.0, 4.0, 3.0, 4.0])
    EDITS = tier({"embedding": [Similarity(digits=1)]})

    @pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64", "BF16"])
    def test_a_row_for_each_input_becomes_its_cosines(self, datatype: str) -> None:
        run = Rewrite(self.EDITS, "m", inputs=3)
        octets = memoryview(narrowed(self.NUMBERS, datatype))
        found = at_once(passing(octets, datatype, [3, 2], "embedding", run, "v"))
        assert found is not None
        told, shape = found
        assert shape == [3, 3]
        rows = widened(told, datatype).reshape(3, 3)
        expected = [[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]]
        np.testing.assert_allclose(rows, expected, atol=0.002)

    def test_each_row_draws_for_its_own_input_before(self) -> None:
        edits = tier({"embedding": [Rotate(), Quantize(bits=16), Similarity(digits=1)]})
        draws = Draws(Draw(b"k" * 32), [b"a", b"b", b"c"])
        run = Rewrite(edits, "m", draws, inputs=3)
        rows = at_once(reduced(self.NUMBERS, [3, 2], "embedding", run, "v"))
        assert rows is not None
        assert rows.tolist() == [[1.0, 0.0, 0.6], [0.0, 1.0, 0.8], [0.6, 0.8, 1.0]]
        assert run.at is None

    @pytest.mark.parametrize(
        ("shape", "inputs"), [([3, 2], 2), ([2, 3], 3), ([3, 1, 2], 3), ([6], 1), ([1, 6], None)]
    )
    def test_what_is_no_row_for_each_input_does_not_pass(
        self, shape: list[int], inputs: int | None
    ) -> None:
        run = Rewrite(self.EDITS, "m", inputs=inputs)
        if inputs is None:
            rows = at_once(reduced(self.NUMBERS, shape, "embedding", run, "v"))
            assert rows is not None
            assert rows.tolist() == [[1.0]]
            return
        with pytest.raises(UpstreamError, match="one embedding for each input"):
            at_once(reduced(self.NUMBERS, shape, "embedding", run, "v"))

    def test_other_kinds_are_reduced_as_ever(self) -> None:
        edits = self.EDITS | tier({"score": [Round(digits=0)]})
        run = Rewrite(edits, "m", inputs=2)
        rows = at_once(reduced(np.array([1.2, 2.0]), [2], "score", run, "v"))
        assert rows is not None
        assert rows.tolist() == [[1.0], [2.0]]
