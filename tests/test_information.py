"""What a request may cost in bits, and what its answer did cost."""

import math
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import (
    CohereClassify,
    Dialect,
    GeminiGenerate,
    Generic,
    HfPipeline,
    KServeV2,
    OllamaEmbed,
    OpenAIChat,
    OpenAICompletions,
    OpenAIEmbeddings,
    OpenAIModerations,
    Rerank,
    Status,
    TeiEmbedAll,
    TensorFlowGrpc,
)
from extproc.dialects.noted import Noted
from extproc.dialects.told import Told
from extproc.entitlement import ALL, Entitlement
from extproc.information import LARGEST, Chains, Information, Measure, Sizes, spent
from extproc.mutators import LabelOnly, Mutator, Quantize, Round, Similarity, TopK, limit
from extproc.prediction import KINDS, Kind, Query, Usage

OPEN: Final[Chains] = dict.fromkeys(KINDS, ())
TEXT: Final[Chains] = {"text": (), "reasoning": (), "usage": ()}
RANKED: Final[Chains] = {"probabilities": (), "label": ()}
BOUNDED: Final = Entitlement(max_tokens=100)


def expected(
    dialect: Dialect,
    chains: Chains,
    sizes: Sizes,
    *,
    inputs: int = 1,
    noted: Noted = Noted(),  # noqa: B008 - not changed
) -> dict[Kind, int]:
    return Information(dialect, chains, sizes).expected(Query("m", inputs), noted)


class TestMeasure:
    def test_it_is_what_the_mutators_let_through(self) -> None:
        chain: Sequence[Mutator] = [TopK(k=3), Round(digits=2)]
        measure = Measure({"probabilities": chain}, Sizes())
        bits = limit(chain, "probabilities", 10).bits
        assert bits <= measure("probabilities", 10) < bits + 2**-9
        assert measure("probabilities", 10) == measure("probabilities", 10)

    def test_what_is_dropped_and_what_is_empty_tell_nothing(self) -> None:
        measure = Measure({"embedding": [Quantize(bits=8)]}, Sizes())
        assert measure("score", 1) == 0
        assert measure("embedding", 0) == 0

    def test_a_chosen_token_without_alternatives_tells_something(self) -> None:
        assert Measure({"logprobs": ()}, Sizes())("logprobs", 0) == 84

    @pytest.mark.parametrize(
        ("sizes", "size", "bits"),
        [
            (Sizes(label=1024), 1, 10.0),
            (Sizes(probabilities=512), 1, 9.0),
            (Sizes(label=4, probabilities=512), 1, 9.0),
            (Sizes(label=4), 8, 3.0),
            (Sizes(), 1, 20.0),
        ],
    )
    def test_a_label_is_one_of_the_classes_there_are(
        self, sizes: Sizes, size: int, bits: float
    ) -> None:
        assert Measure({"label": ()}, sizes)("label", size) == bits

    def test_a_tensor_that_nobody_declared_tells_all_its_numbers(self) -> None:
        assert Measure({"tensor": ()}, Sizes())("tensor", 7) == 7 * 64

    def test_an_answer_that_compares_costs_by_the_number_of_its_inputs(self) -> None:
        compares = Measure({"embedding": [Similarity(digits=2)]}, Sizes())
        two, many = (compares.of(inputs)("embedding", 384) for inputs in (2, 60))
        assert two < many
        alone = Measure({"embedding": [Quantize(bits=8)]}, Sizes())
        assert alone.of(60) is alone

    def test_what_it_remembers_is_bounded(self) -> None:
        measure = Measure({"tensor": ()}, Sizes())
        for size in range(5000):
            assert measure("tensor", size) == size * 64
        assert len(measure._known) <= 1024


class TestExpected:
    def test_a_batch_costs_each_of_its_inputs(self) -> None:
        chains: Chains = {"embedding": [Quantize(bits=8)]}
        one = expected(OpenAIEmbeddings(), chains, Sizes(embedding=384))["embedding"]
        many = expected(OpenAIEmbeddings(), chains, Sizes(embedding=384), inputs=64)["embedding"]
        assert 64 * (one - 1) < many <= 64 * one

    def test_a_text_costs_what_may_be_written_and_reasoning_is_part_of_it(self) -> None:
        noted = Noted(tokens=100, choices=3)
        assert expected(OpenAIChat(), TEXT, Sizes(), noted=noted) == {"text": 20 * 300}
        assert expected(OpenAIChat(), {"reasoning": ()}, Sizes(), noted=noted) == {
            "reasoning": 20 * 300
        }

    def test_the_smaller_of_what_is_asked_and_declared_is_written(self) -> None:
        sizes, noted = Sizes(tokens=50), Noted(tokens=100)
        assert expected(OpenAIChat(), TEXT, sizes, noted=noted)["text"] == 20 * 50
        assert expected(OpenAIChat(), TEXT, sizes)["text"] == 20 * 50
        assert expected(OpenAIChat(), TEXT, Sizes())["text"] == 20 << 20

    def test_what_is_written_is_bounded_by_the_request_or_the_route(self) -> None:
        assert Sizes(tokens=50).written(Noted(tokens=100)) == 50
        assert Sizes(tokens=50).written(Noted(tokens=10)) == 10
        assert Sizes(tokens=50).written(Noted()) == 50
        assert Sizes().written(Noted(tokens=10)) == 10
        assert Sizes().written(Noted()) is None

    def test_each_prompt_of_a_request_costs_each_of_its_choices(self) -> None:
        noted = Noted(tokens=10, choices=2)
        found = expected(OpenAICompletions(), TEXT, Sizes(), inputs=3, noted=noted)
        assert found["text"] == 20 * 10 * 2 * 3

    def test_log_probabilities_cost_where_they_are_asked_for(self) -> None:
        chains: Chains = {"logprobs": ()}
        asked = Noted(tokens=10, logprobs=True, alternatives=4)
        assert expected(OpenAIChat(), chains, Sizes(), noted=asked)["logprobs"] == 10 * 5 * 84
        assert expected(OpenAIChat(), chains, Sizes(), noted=Noted(tokens=10))["logprobs"] == 0

    def test_the_totals_of_an_answer_cost_too(self) -> None:
        found = expected(GeminiGenerate(), {"logprobs": ()}, Sizes(), noted=Noted(tokens=10))
        assert found["logprobs"] == 2 * 84

    def test_labels_cost_as_many_as_are_shown(self) -> None:
        sizes = Sizes(probabilities=1024)
        chains: Chains = {"label": (), "probabilities": [TopK(k=3)]}
        assert expected(HfPipeline(), {"label": ()}, sizes)["label"] == 10
        assert expected(HfPipeline(), chains, sizes)["label"] == 10 * (1 + 3)
        only: Chains = {"label": (), "probabilities": [LabelOnly()]}
        assert expected(HfPipeline(), only, sizes) == {"probabilities": 10, "label": 20}

    def test_each_category_costs_its_score_and_label(self) -> None:
        found = expected(OpenAIModerations(), OPEN, Sizes(score=13, label=2))
        assert found == {"score": 13 * 64, "label": 13}

    def test_names_of_members_cost_beside_what_they_hold(self) -> None:
        dialect = Generic(inputs="x", answer={"result.*": "score"})
        sizes = Sizes(score=3, label=16)
        assert expected(dialect, {"score": ()}, sizes) == {"score": 3 * (64 + 4)}
        classes = Generic(inputs="x", answer={"result.*": "probabilities"})
        chains: Chains = {"probabilities": [LabelOnly()]}
        assert expected(classes, chains, Sizes(probabilities=16)) == {"probabilities": 4 + 4}

    def test_each_declared_output_and_each_token_has_its_own(self) -> None:
        two = KServeV2(outputs={"a": "embedding", "b": "embedding"})
        assert expected(two, {"embedding": ()}, Sizes(embedding=2)) == {"embedding": 2 * 2 * 64}
        sizes = Sizes(embedding=2, tokens=7)
        assert expected(TeiEmbedAll(holds="embedding"), {"embedding": ()}, sizes) == {
            "embedding": 7 * 2 * 64
        }
        assert expected(KServeV2(), {"tensor": ()}, Sizes(tensor=5)) == {"tensor": 5 * 64}

    def test_nothing_is_expected_of_what_is_no_prediction_or_does_not_pass(self) -> None:
        assert expected(OpenAIChat(), {"usage": (), "timing": (), "identity": ()}, Sizes()) == {}
        assert expected(Status(), OPEN, Sizes()) == {}
        assert expected(OpenAIEmbeddings(), {"text": ()}, Sizes()) == {}

    @given(st.integers(1, 1 << 24), st.integers(1, 1 << 24), st.integers(1, 128))
    def test_no_request_costs_more_than_a_budget_can_hold(
        self, tokens: int, inputs: int, choices: int
    ) -> None:
        noted = Noted(tokens=tokens, choices=choices)
        found = expected(OpenAICompletions(), TEXT, Sizes(), inputs=inputs, noted=noted)
        assert 0 < found["text"] <= LARGEST


class TestMissing:
    @pytest.mark.parametrize(
        ("dialect", "chains", "missing"),
        [
            (OpenAIEmbeddings(), OPEN, ("embedding",)),
            (OpenAIEmbeddings(), TEXT, ()),
            (OpenAIChat(), TEXT, ("tokens",)),
            (OpenAIChat(), OPEN, ("score", "label", "tokens")),
            (HfPipeline(), RANKED, ("probabilities", "label")),
            (KServeV2(), OPEN, ("tensor",)),
            (KServeV2(outputs={"a": "score"}), OPEN, ("score", "tensor")),
            (TensorFlowGrpc(call="Regress"), OPEN, ()),
            (OpenAIModerations(), {"label": ()}, ("score", "label")),
            (CohereClassify(), {"label": ()}, ("label",)),
            (TeiEmbedAll(holds="embedding"), OPEN, ("embedding", "tokens")),
            (Rerank(), {"score": ()}, ()),
            (Status(), OPEN, ()),
        ],
    )
    def test_what_has_no_bound_must_be_declared(
        self, dialect: Dialect, chains: Chains, missing: tuple[str, ...]
    ) -> None:
        assert Information(dialect, chains, Sizes()).missing(ALL) == missing

    def test_what_is_granted_bounds_what_is_written(self) -> None:
        assert Information(OpenAIChat(), TEXT, Sizes()).missing(BOUNDED) == ()
        assert Information(OpenAIChat(), TEXT, Sizes(tokens=9)).missing(ALL) == ()

    def test_but_not_how_long_an_input_is(self) -> None:
        dialect = TeiEmbedAll(holds="embedding")
        sizes = Sizes(embedding=9)
        assert Information(dialect, {"embedding": ()}, sizes).missing(BOUNDED) == ("tokens",)
        assert Information(OllamaEmbed(), {"embedding": ()}, sizes).missing(BOUNDED) == ()

    def test_the_classes_of_probabilities_are_those_of_labels(self) -> None:
        assert Information(HfPipeline(), RANKED, Sizes(probabilities=9)).missing(ALL) == ()
        assert Information(HfPipeline(), {"label": ()}, Sizes(label=9)).missing(ALL) == ()


class TestSpent:
    def told(self, usage: Usage = Usage()) -> Told:  # noqa: B008 - frozen
        return Told(usage=usage, bits={"score": 10.25}, octets={"text": 100, "reasoning": 50})

    def test_a_text_costs_its_octets_where_nobody_counts_its_tokens(self) -> None:
        assert spent(self.told(), ended=True) == {"score": 11, "text": 800, "reasoning": 400}

    def test_or_its_tokens_if_they_tell_less(self) -> None:
        few = spent(self.told(Usage(output_tokens=50)), ended=True)
        assert few == {"score": 11, "text": 800, "reasoning": 200}
        fewer = spent(self.told(Usage(output_tokens=10)), ended=True)
        assert fewer == {"score": 11, "text": 200}
        assert spent(self.told(Usage(output_tokens=10**6)), ended=True)["text"] == 800

    def test_an_answer_that_broke_off_is_not_counted_by_tokens_told_before(self) -> None:
        begun = self.told(Usage(input_tokens=9, output_tokens=1))
        assert spent(begun, ended=False) == spent(self.told(), ended=True)

    def test_what_told_nothing_costs_nothing(self) -> None:
        assert spent(Told(), ended=True) == {}

    def test_what_nobody_could_count_costs_more_than_any_budget_has(self) -> None:
        assert spent(Told(bits={"tensor": math.inf}), ended=True) == {"tensor": LARGEST}
