"""Where in a JSON answer something lies."""

import pytest

from extproc.declared_api.json_place import parse

DOCUMENT = {
    "outputs": [
        {"name": "label", "data": [3, 4]},
        {"name": "probabilities", "data": [[0.1, 0.9], [0.8, 0.2]]},
    ],
    "results": [{"score": 1}, {"score": 2}, {"other": 3}],
}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("outputs[name=probabilities].data", [0.1, 0.9, 0.8, 0.2]),
        ("outputs[0].data", [3, 4]),
        ("outputs[7].data", []),
        ("results[].score", [1, 2]),
        ("results[].score[]", []),
        ("nothing.here", []),
        ("results[name=x]", []),
        ("outputs[1].data[][0]", [0.1, 0.8]),
        ("results.score", []),
        ("outputs[0][name=label]", []),
    ],
)
def test_a_place_gives_all_that_lies_there(place: str, found: list[float]) -> None:
    assert parse(place).leaves(DOCUMENT) == found


@pytest.mark.parametrize("text", ["a..b", ".a", "a[", "a[x", "a.", "a[=]", "a]"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no place in JSON"):
        parse(text)
