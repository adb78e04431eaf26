"""What a file says of an API."""

import msgspec
import pytest

from extproc.declared_api.description import Answer, Ask


def test_what_is_not_written_has_its_default() -> None:
    ask = msgspec.convert({"path": "/score", "body": "{{inputs}}"}, Ask)
    assert (ask.method, ask.batch) == ("POST", 1)
    assert ask.headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    "wrong", [{"path": "score", "body": ""}, {"path": "/", "body": "", "x": 1}]
)
def test_it_is_read_strictly(wrong: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Ask)


def test_classes_may_have_names_or_numbers() -> None:
    assert msgspec.convert({"labels": ["cat", 7]}, Answer).labels == ["cat", 7]
