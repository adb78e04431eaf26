import math

import pytest

from extproc.demo.answer import Answer
from extproc.demo.cases import CASES, Case
from extproc.demo.preview import ABSENT, NULL, REFUSED, cosine, number, preview
from tests.demo import fabricated
from tests.demo.fabricated import case_of


def _preview(name: str, tier: str) -> dict[str, str]:
    seen, case = fabricated.observed(), case_of(name)
    return dict(preview(case.api, seen.gets(case, tier), seen.says(case)))


def test_probabilities_are_shown_best_first_with_a_sign_where_they_go_on() -> None:
    assert _preview("infer, logits", "full") == {
        "probabilities": "0.7279… 0.2063… 0.0645… +1",
        "label": "2",
        "logits": ABSENT,
    }
    assert _preview("infer", "standard") == {"probabilities": "0.73 0.21 0.06", "label": "2"}
    assert _preview("infer", "coarse")["probabilities"] == "1"


def test_a_vector_is_shown_with_what_it_is_worth() -> None:
    shown = _preview("embeddings, base64", "coarse")
    assert (shown["dimensions"], shown["different values"]) == ("64", "2")
    assert 0.7 < float(shown["cosine"]) < 0.9
    assert _preview("embeddings, float", "full")["cosine"] == "1.00000"


def test_a_chat_is_shown_by_what_the_model_server_said() -> None:
    assert _preview("chat, document", "standard") == {
        "text": fabricated.TEXT,
        "logprobs": "-2.4079 -0.0101",
        "alternatives": "1 per token",
        "fingerprint": ABSENT,
        "usage": "5 tokens",
    }
    assert _preview("chat, stream", "coarse")["logprobs"] == NULL
    assert _preview("chat, reasoning", "full")["reasoning"] == fabricated.REASONING
    assert _preview("chat, reasoning", "standard")["reasoning"] == ABSENT
    assert "logprobs" not in _preview("chat, reasoning", "full")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_no_answer_is_shown_as_none(case: Case) -> None:
    said = fabricated.observed().says(case)
    assert preview(case.api, fabricated.error(503, "x"), said) == {REFUSED: "503"}
    assert preview(case.api, Answer(200, {}, b"{}"), said) == {REFUSED: "unreadable"}
    assert preview(case.api, said, fabricated.error(500, "x")) == {REFUSED: "unreadable"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.73, "0.73"),
        (-0.125, "-0.125"),
        (0.1234, "0.1234"),
        (0.12345, "0.1235…"),
        (1e-7, "1e-07"),
        (1.25e-7, "0.0000…"),
        (-2.368523, "-2.3685…"),
        (12.0, "12"),
    ],
)
def test_a_number_shows_four_decimals_at_most(value: float, shown: str) -> None:
    assert number(value) == shown


def test_the_cosine_of_a_shorter_vector_is_that_with_the_head_of_the_longer() -> None:
    assert cosine([1.0, 1.0], [1.0, 0.0, 5.0]) == pytest.approx(math.sqrt(0.5))
    assert cosine([2.0, 0.0], [0.0, 1.0]) == 0.0
    assert cosine([0.0], [1.0]) == 0.0
