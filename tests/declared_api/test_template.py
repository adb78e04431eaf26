"""The body of a request with places in it."""

import orjson
import pytest

from extproc.declared_api.template import Template


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("{{flat}}", [1, 2, 3, 4]),
        ("{{ input }}", [1, 2]),
        ("[{{count}}]", [2]),
        ('{"rows": {{inputs}}}', {"rows": [[1, 2], [3, 4]]}),
    ],
)
def test_inputs_are_put_into_its_places_as_json(body: str, sent: object) -> None:
    assert orjson.loads(Template(body).filled([[1, 2], [3, 4]])) == sent


def test_a_text_cannot_end_the_place_it_stands_in() -> None:
    text = '"}], "model": "{{count}}\\'
    filled = Template('{"input": [{"text": {{input}}}]}').filled([text])
    assert orjson.loads(filled) == {"input": [{"text": text}]}


def test_a_place_that_nothing_is_put_into_is_found() -> None:
    assert Template("{{inputs}} {{imputs}}").unknown() == ["imputs"]
