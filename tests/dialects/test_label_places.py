"""Which APIs may tell the label apart from its probabilities: of each dialect of the corpus."""

import msgspec
import pytest

from extproc.dialects import Dialect
from extproc.dialects.label_places import labels_apart

APART = [
    "{kind: kserve_v2, outputs: {p: probabilities, l: label}}",
    "{kind: kserve_v2_grpc, outputs: {p: probabilities, l: label}}",
    "{kind: vllm_classify}",
    "{kind: openai_decisions}",
    "{kind: tensorflow_rest, outputs: {p: probabilities, l: label}}",
    "{kind: generic, request: {t: pass}, inputs: t, answer: {'p[]': probabilities, l: label}}",
    "{kind: cohere_classify}",
]
TOGETHER = [
    "{kind: kserve_v2, outputs: {p: probabilities}}",
    "{kind: hf_pipeline, task: classification}",
    "{kind: tei_predict}",
    "{kind: tensorflow_rest, output: probabilities}",
    "{kind: tensorflow_grpc, call: Classify}",
    (
        "{kind: generic, request: {t: pass}, inputs: t,"
        " answer: {'r[].label': label, 'r[].score': probabilities}}"
    ),
    (
        "{kind: generic, request: {t: pass}, inputs: t,"
        " answer: {'names[]': label, 'scores[]': probabilities}}"
    ),
    "{kind: openai_embeddings}",
]


def read(written: str) -> Dialect:
    dialect: Dialect = msgspec.yaml.decode(written, type=Dialect)
    return dialect


@pytest.mark.parametrize("written", APART)
def test_a_label_with_a_place_of_its_own_is_apart(written: str) -> None:
    assert labels_apart(read(written))


@pytest.mark.parametrize("written", TOGETHER)
def test_names_that_leave_with_their_numbers_are_not(written: str) -> None:
    """Planted: taking each name for a label refuses marks on every ranking."""
    assert not labels_apart(read(written))
