"""Green lists: whose they are, and how texts show them."""

from collections import Counter

import numpy as np
import pytest

from extproc.draw import Draw
from extproc.marks.green_list import bias, evidence, green, of_vocabulary
from extproc.marks.vocabulary import Vocabulary
from tests.marks.wordlists import vocabulary

WORDS = vocabulary(120)
KEYS = [Draw(bytes([number]) * 32) for number in range(60)]


def text(key: Draw | None, length: int, seed: int, words: Vocabulary = WORDS) -> str:
    """Of words as usual as each other; with a key, its own come e^2 times as often."""
    weights = np.ones(len(words.words))
    if key is not None:
        weights[green(words, key)] *= np.exp(2.0)
    chosen = np.random.default_rng(seed).choice(len(weights), length, p=weights / weights.sum())
    return " ".join(words.words[at].word for at in chosen)


def test_each_key_has_a_half_of_its_own() -> None:
    """Planted: coins that do not hang on the key give one list to all."""
    lists = np.array([green(WORDS, key) for key in KEYS])
    assert 0.4 < lists.mean() < 0.6
    agreements = [(lists[0] == other).mean() for other in lists[1:]]
    assert 0.2 < min(agreements) < max(agreements) < 0.8


def test_a_word_is_green_whatever_stands_beside_it() -> None:
    fewer = Vocabulary(WORDS.words[40:80])
    assert (green(fewer, KEYS[0]) == green(WORDS, KEYS[0])[40:80]).all()


def test_a_model_server_is_asked_to_prefer_the_tokens_of_green_words() -> None:
    listed = green(WORDS, KEYS[0])
    asked = bias(WORDS, KEYS[0], 1.5)
    assert asked == {str(at): 1.5 for at in range(120) if listed[at]}


def test_a_text_shows_whose_list_it_was_written_with() -> None:
    counts = WORDS.counts([text(KEYS[0], 300, 1)])
    found = [evidence(counts, WORDS, key) for key in KEYS]
    assert found[0].tail.at_least < -30
    assert min(each.tail.at_least for each in found[1:]) > -12
    assert found[0].seen == 300
    assert found[0].green > 0.8 > found[0].usual


def test_a_text_that_says_few_words_often_proves_little() -> None:
    """Planted: a binomial over tokens is certain of it, with every second key."""
    counts = WORDS.counts([f"{WORDS.words[0].word} {WORDS.words[1].word} " * 500])
    for key in KEYS:
        assert evidence(counts, WORDS, key).tail.at_least > -8


def test_the_level_holds_for_texts_that_nobody_marked_however_they_repeat_themselves() -> None:
    random = np.random.default_rng(7)
    levels = []
    for number in range(150):
        weights = random.pareto(0.7, len(WORDS.words))
        said = Counter(random.choice(len(weights), 200, p=weights / weights.sum()).tolist())
        counts = np.array([float(said[at]) for at in range(len(weights))])
        key = Draw(number.to_bytes(32, "big"))
        levels.append(evidence(counts, WORDS, key).tail.p)
    for level in (0.01, 0.1, 0.5):
        assert np.mean(np.array(levels) <= level) <= level + 4 * np.sqrt(level / len(levels))


def test_what_is_usual_can_be_told_by_texts_that_nobody_marked() -> None:
    """Of words of which some are far more usual than others, few tell more."""
    weights = np.geomspace(1.0, 100.0, len(WORDS.words))
    clean = np.round(weights * 20)
    marked = weights * np.where(green(WORDS, KEYS[3]), np.exp(1.0), 1.0)
    counts = np.round(marked / marked.sum() * 500)
    with_clean = evidence(counts, WORDS, KEYS[3], clean).tail.at_least
    assert with_clean < -40
    assert with_clean < evidence(counts, WORDS, KEYS[3]).tail.at_least


def test_of_no_words_nothing_follows() -> None:
    found = evidence(np.zeros(120), WORDS, KEYS[0])
    assert found.tail.p == pytest.approx(1.0)
    assert (found.seen, found.green) == (0, 0.0)


def test_each_list_has_a_key_of_its_own() -> None:
    """Planted: one key for all lists, so that whoever is shown one list knows every other."""
    key, words = Draw(bytes(32)), vocabulary()
    other = Vocabulary(tuple(reversed(words.words)))
    keys = [of_vocabulary(key, each).key for each in (words, other)]
    assert len({*keys, key.key}) == 3
    assert of_vocabulary(key, vocabulary()).key == keys[0]
