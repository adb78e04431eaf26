import msgspec
import pytest

from extproc.config.names import Name


@pytest.mark.parametrize("name", ["a", "A-1.b_c", "9", "n" * 64])
def test_a_name_may_be_called_so(name: str) -> None:
    assert msgspec.convert(name, Name) == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "_a", "a b", "a|b", "é", "n" * 65, "*", "a\n"])
def test_a_name_may_not_be_called_so(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(name, Name)
