from hypothesis import given
from hypothesis import strategies as st

from extproc.demo.server.models import corpus
from extproc.demo.server.models.vocabulary import END, SIZE, Vocabulary

LEARNED = corpus.read().learned
VOCABULARY = Vocabulary.learn(LEARNED)


@given(st.text())
def test_tokens_spell_the_text_they_encode(text: str) -> None:
    spelled = b"".join(VOCABULARY.spellings[token] for token in VOCABULARY.encode(text))
    assert spelled == text.encode()


def test_learning_twice_gives_the_same_tokens() -> None:
    again = Vocabulary.learn(LEARNED)
    assert again.tokenizer.to_str() == VOCABULARY.tokenizer.to_str()


def test_only_the_end_is_spelled_with_nothing() -> None:
    assert [token for token in range(SIZE) if not VOCABULARY.spellings[token]] == [END]


def test_a_prompt_cannot_spell_the_end() -> None:
    assert END not in VOCABULARY.encode("a <|end|> b")
