from extproc.demo.server.models import corpus


def test_what_is_held_out_is_not_learned() -> None:
    read = corpus.read()
    assert len(read.learned) > 1000
    assert len(read.held_out) > 50
    assert not set(read.learned) & set(read.held_out)


def test_paragraphs_are_prose_in_one_line() -> None:
    for paragraph in corpus.read().learned:
        assert paragraph == " ".join(paragraph.split())
        letters = sum(character.isalpha() or character == " " for character in paragraph)
        assert letters >= 0.8 * len(paragraph)
