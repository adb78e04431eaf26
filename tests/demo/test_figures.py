import json
from base64 import b64encode

import numpy as np
import pytest

from extproc.demo.answer import Answer
from extproc.demo.figures import figures, shown

VALUE = 0.0123456789012


def _shown(text: str) -> set[str]:
    return shown(Answer(200, {"content-type": "application/json"}, text.encode()))


@pytest.mark.parametrize(
    "written",
    [
        "0.0123456789012",
        "-1.23456789012e-02",
        "1.2345678E-2",
        "12.345678",
        '"p=0.012345678"',
        '{"note": ["top:0.01234567890:3"]}',
        "0.01234567890120000",
    ],
)
def test_a_number_is_found_in_every_notation_and_place(written: str) -> None:
    assert figures([VALUE]) <= _shown(written)


@pytest.mark.parametrize("written", ["0.01", "0.0123457", "0.01234568", "[0.0123, 45678]", ""])
def test_a_rounded_number_is_another(written: str) -> None:
    assert figures([VALUE]).isdisjoint(_shown(written))


@pytest.mark.parametrize("value", [0.0, 1.0, 0.73, -0.125, 2.0, 100000.0])
def test_a_number_of_few_digits_is_no_figure(value: float) -> None:
    assert figures([value]) == set()


def test_a_vector_in_base64_is_searched_as_the_numbers_it_holds() -> None:
    vector = np.array([0.1, VALUE], "<f4")
    text = b64encode(vector.tobytes()).decode()
    body = json.dumps({"data": [{"embedding": text}]})

    assert figures([float(str(vector[1]))]) <= _shown(body)


@pytest.mark.parametrize("body", ["[1]", '{"data": 1}', '{"data": [1]}', "{", "\x00"])
def test_an_answer_of_any_shape_can_be_searched(body: str) -> None:
    assert _shown(body) == set()


def test_what_is_cut_off_is_searched_as_text() -> None:
    assert figures([VALUE]) == _shown('{"data": [0.0123456789012, 0.5')
