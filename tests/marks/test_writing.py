import msgspec
import pytest

from extproc.marks.writing import Canary, GreenList, Processor, Writing


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{kind: green_list, vocabulary: w.json, bias: 2}", GreenList("w.json", 2.0)),
        ("{kind: vllm_processor, arguments: {z: 4}, key: k}", Processor({"z": 4}, "k")),
        ("{kind: canary, rate: 0.01}", Canary(0.01)),
        ("{kind: canary, rate: 0.01, wording: ' [{}]'}", Canary(0.01, " [{}]")),
    ],
)
def test_a_tier_names_what_is_done_to_texts(written: str, read: Writing) -> None:
    assert msgspec.yaml.decode(written, type=Writing) == read


@pytest.mark.parametrize(
    "written",
    [
        "{kind: green_list, vocabulary: w.json, bias: 0}",
        "{kind: green_list, vocabulary: w.json, bias: 11}",
        "{kind: green_list, vocabulary: '', bias: 1}",
        "{kind: canary, rate: 0.6}",
        "{kind: canary, rate: 0.1, wording: none}",
        "{kind: canary, rate: 0.1, wording: '{} {}'}",
    ],
)
def test_what_is_out_of_range_is_refused(written: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.yaml.decode(written, type=Writing)
