from extproc.validation.place import at, shown


def test_a_place_is_shown_in_quotes_and_cut() -> None:
    assert shown(at("messages", "content")) == "'messages.content'"
    assert shown(at("", "model")) == "'model'"
    assert shown("") == "the request"
    assert len(shown("x" * 1000)) == 66
