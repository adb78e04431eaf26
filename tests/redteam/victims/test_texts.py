from extproc.redteam.victims.texts import Text, library, modules, reference


def test_there_are_enough_sentences_and_each_once() -> None:
    told, quoted = reference(), library()
    assert len(told) > 800
    assert len(quoted) > 6_000
    for texts in (told, quoted):
        assert len({text.words.casefold() for text in texts}) == len(texts)


def test_a_text_is_a_sentence_of_prose() -> None:
    for text in reference():
        assert 6 <= len(text.words.split()) <= 18
        assert "\n" not in text.words
        letters = sum(character.isalpha() or character == " " for character in text.words)
        assert letters / len(text.words) >= 0.88


def test_a_text_is_told_with_its_document() -> None:
    about = {text.document for text in reference()}
    assert {"compound", "types", "debugger"} <= about
    assert Text("Return the current stop criterion.", "a") != Text(
        "Return the current stop criterion.", "b"
    )


def test_tests_and_installed_packages_are_no_part_of_the_library() -> None:
    folders = {path.parent.name for path in modules()}
    assert not folders & {"site-packages", "test"}
    assert "json" in folders
