from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from extproc.demo.server.apis.text import Piece, pieces
from extproc.demo.server.models.sampling import Sampled

ALPHABET = st.sampled_from([b"a", b"b", b"ab", b"ba", b"c", "é".encode(), b"\xc3", b"\xa9"])
STOPS = st.lists(st.text("abcé", min_size=1, max_size=4), max_size=3)


def _pieces(spellings: Sequence[bytes], stops: Sequence[str], limit: int = -1) -> list[Piece]:
    sampled = [Sampled(token, -1.0, ()) for token in range(len(spellings))]
    return list(pieces(sampled, spellings=spellings, stops=stops, limit=limit))


def _text(found: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in found)


def _stopped(spellings: Sequence[bytes], stops: Sequence[str]) -> str | None:
    """The text before the first stop string, looked for in all of the text after every token."""
    for end in range(len(spellings) + 1):
        # A character that is not whole yet decides nothing: no stop string holds U+FFFD.
        text = b"".join(spellings[:end]).decode("utf-8", "replace")
        found = [at for stop in stops if (at := text.find(stop)) >= 0]
        if found:
            return text[: min(found)]
    return None


@given(st.lists(ALPHABET, max_size=20), STOPS)
def test_the_pieces_join_to_the_text_before_the_first_stop_string(
    spellings: list[bytes], stops: list[str]
) -> None:
    whole = b"".join(spellings).decode("utf-8", "replace")
    stopped = _stopped(spellings, stops)
    found = _pieces(spellings, stops)
    assert _text(found) == (whole if stopped is None else stopped)
    assert [piece.finish for piece in found] == [None] * (len(found) - 1) + ["stop"]


@given(st.lists(ALPHABET, max_size=20), STOPS)
def test_tokens_come_in_order_and_with_the_text_they_spell(
    spellings: list[bytes], stops: list[str]
) -> None:
    found = _pieces(spellings, stops)
    tokens = [token.token for piece in found for token in piece.tokens]
    assert tokens == list(range(len(tokens)))
    if _stopped(spellings, stops) is None:
        assert len(tokens) == len(spellings)


def test_a_stop_string_over_two_tokens_is_never_shown_in_part() -> None:
    assert [piece.text for piece in _pieces([b"a ", b"ST", b"OP", b"b"], ["STOP"])] == ["a ", ""]
    assert [piece.text for piece in _pieces([b"a ", b"ST", b"AY"], ["STOP"])] == ["a ", "STAY", ""]


def test_tokens_of_the_stop_string_are_left_out() -> None:
    found = _pieces([b"a", b"b.", b".", b"."], ["..."])
    assert _text(found) == "ab"
    assert [token.token for piece in found for token in piece.tokens] == [0, 1]


def test_a_character_over_two_tokens_comes_whole() -> None:
    found = _pieces([b"a", b"\xc3", b"\xa9"], [])
    assert [piece.text for piece in found] == ["a", "é", ""]
    assert [len(piece.tokens) for piece in found] == [1, 2, 0]


def test_all_the_tokens_allowed_is_a_matter_of_length_and_fewer_an_end() -> None:
    assert _pieces([b"a", b"b"], [], limit=2)[-1].finish == "length"
    assert _pieces([b"a", b"b"], [], limit=3)[-1].finish == "stop"
