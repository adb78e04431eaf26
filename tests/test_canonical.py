"""Laws of canonical forms: looks make no difference, and what differs in more is not confused."""

import hashlib
import json
import re
import unicodedata
from timeit import repeat
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.canonical import Shared, canonical, digest, digests, text
from extproc.draw import Draw, Draws
from extproc.errors import ClientError
from extproc.mutators import Dither, Noise, mutate
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import gaussian

SENTENCES = [
    "My card was declined at the shop, what can I do?",
    "Können Sie mir die Rechnung von März noch einmal zusenden?",
    "¿Por qué no puedo añadir dinero a mi cuenta?",
    "Почему мой платёж ещё не прошёл?",
    "私のカードはいつ届きますか。",
    "카드를 어떻게 활성화하나요?",
    "Explain quantum tunnelling to a 5-year-old; use at most 100 words.",
    "SELECT name FROM users WHERE id = 42;",
]
SPACES = ["\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u2028", "  "]
INVISIBLE = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\ufe0f", "\x00", "\x07"]
MARKS = ["\u0301", "\u0336", "\u20dd", "\u0489"]
PUNCTUATION = [".", "!", "...", " …", " -", "\u2013", '"', "»", "?!", " ;", "*", "🙂", "️", "'"]


def every(word: str, part: str, step: int) -> str:
    return "".join(letter + part * (number % step == 0) for number, letter in enumerate(word))


def cosmetic(sentence: str) -> list[str]:
    """64 ways to write one sentence."""
    variants = [
        sentence,
        sentence.upper(),
        sentence.lower(),
        sentence.title(),
        sentence.swapcase(),
        *(unicodedata.normalize(form, sentence) for form in ("NFC", "NFD", "NFKC", "NFKD")),
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in sentence),  # full width
        *(sentence.replace(" ", space) for space in SPACES),
        *(space + sentence + space for space in SPACES),
        *(every(sentence, part, step) for part in INVISIBLE for step in (1, 7)),
        *(every(sentence, mark, 2) for mark in MARKS),
        *(sentence + ending for ending in PUNCTUATION),
        *(f"({sentence})", f"“{sentence}”"),
        re.sub(r"[^\w\s]", "", sentence),
        re.sub(r"[^\w\s]", " ", sentence),
    ]
    padded = [variant + INVISIBLE[0] * number for number, variant in enumerate(variants, 1)]
    return list(dict.fromkeys([*variants, *padded]))[:64]


def names(sentences: list[str]) -> set[bytes]:
    return {digest(sentence) for sentence in sentences}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_64_cosmetic_variants_of_a_sentence_are_one_input(sentence: str) -> None:
    variants = cosmetic(sentence)
    assert len(set(variants)) == 64
    assert len(names(variants)) == 1


def test_sentences_are_not_each_other() -> None:
    assert len(names(SENTENCES)) == len(SENTENCES)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_mean_of_1000_repeats_is_no_nearer_the_truth_than_one_answer(sentence: str) -> None:
    """The truth is the same for all variants here, which is the best a thief can hope for."""
    truth, variants = gaussian(7, 384), cosmetic(sentence)
    asked = [variants[number % len(variants)] for number in range(1000)]
    for mutator in (Noise(norm=0.3), Dither(step=0.04)):
        answers = [answer(truth, each, mutator) for each in asked]
        single = float(np.linalg.norm(answers[0] - truth))
        averaged = float(np.linalg.norm(np.mean(answers, axis=0) - truth))
        assert single > 0.1
        assert averaged > 0.999 * single


def answer(truth: Vector, question: str, mutator: Noise | Dither) -> Vector:
    source = Draws(Draw(b"k" * 32), [digest(question)]).of(0)
    served = mutate([mutator], source, Embedding(truth))
    assert isinstance(served, Embedding)
    return served.values


def test_different_questions_average_away_what_one_does_not() -> None:
    """The limit that the documents name: only the draw is bound to the question."""
    truth = gaussian(7, 384)
    answers = [answer(truth, f"question {n}", Noise(norm=0.3)) for n in range(1000)]
    single = float(np.linalg.norm(answers[0] - truth))
    assert np.linalg.norm(np.mean(answers, axis=0) - truth) < 0.2 * single


EVERYTHING = "".join(chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000)


def test_text_is_letters_and_digits_alone() -> None:
    kept = text(EVERYTHING)
    assert {unicodedata.category(character)[0] for character in set(kept)} == {"L", "N"}
    assert text(kept) == kept


def plainly(value: str) -> str:
    """What text() says it does, without regard to how long that takes."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", value).casefold())
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LN")


@given(st.text() | st.text(st.sampled_from("aÄé\u0301\u0316ßİ\u0131ǆﷺ각ᄀ\u0345\u0391Σς _-٣²½Ⅳ")))
def test_characters_fold_one_by_one_as_they_do_together(value: str) -> None:
    assert text(value) == plainly(value)
    assert text(text(value)) == text(value)


@given(st.lists(st.characters(exclude_categories=["Cs"]), min_size=33, unique=True))
def test_many_different_characters_fold_as_few_do(characters: list[str]) -> None:
    assert text("".join(characters)) == "".join(map(plainly, characters))


def test_a_number_is_its_value() -> None:
    assert len({canonical(value) for value in (1, 1.0, 1e0)}) == 1
    assert canonical(0.0) == canonical(-0.0) == canonical(0)
    assert canonical(1e300) == canonical(int(1e300))
    assert canonical(0.123456) == canonical(0.1234561)
    assert canonical([0.5, 1.0, -0.0]) == canonical([0.5, 1, 0])


@pytest.mark.parametrize("rest", [0, 10])
def test_numbers_that_differ_are_different(rest: int) -> None:
    """In arrays that are read one by one, and all at once."""
    values = [
        0,
        1,
        -1,
        10,
        0.5,
        -0.5,
        0.51,
        5.0,
        50,
        1e-300,
        5e-324,
        2**53,
        2**53 + 1,
        2**60,
        1e300,
    ]
    arrays = [[value, *[7] * rest] for value in values]
    assert len({canonical(array) for array in arrays}) == len(values)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_a_fraction_is_its_first_ten_binary_digits(values: list[float]) -> None:
    nearby = [value if value % 1 == 0 else float(np.nextafter(value, 0)) for value in values]
    coarse = [value if value % 1 == 0 else round_to(value) for value in values]
    if [round_to(value) for value in nearby] == [round_to(value) for value in values]:
        assert canonical(nearby) == canonical(values)
    if all(value % 1 == 0 or rounded % 1 for value, rounded in zip(values, coarse, strict=True)):
        assert canonical(coarse) == canonical(values)


def round_to(value: float) -> float:
    fraction, exponent = np.frexp(value)
    with np.errstate(over="ignore"):
        return float(np.ldexp(np.rint(np.ldexp(fraction, 10)), exponent - 10))


def test_a_feature_moved_by_a_hair_draws_nothing_new() -> None:
    pixels = np.random.default_rng(1).uniform(0.01, 1.0, 64)
    moved = [pixels * (1 + n * 1e-9) for n in range(1, 100)]
    same = [canonical(each.tolist()) == canonical(pixels.tolist()) for each in moved]
    assert np.mean(same) > 0.99


def test_what_no_json_number_is_has_a_form_too() -> None:
    odd = [float("nan"), float("inf"), float("-inf"), 10**400, 10**400 + 1]
    assert len({canonical([value] * 9) for value in odd}) == 5
    assert len({canonical(value) for value in odd}) == 5


def test_token_ids_are_exact_and_in_order() -> None:
    ids = list(range(100, 200))
    assert canonical(ids) == canonical(tuple(ids)) == canonical([float(each) for each in ids])
    assert canonical(ids) != canonical(ids[::-1])
    assert canonical(ids) != canonical([*ids[:-1], 200])
    assert canonical([ids]) != canonical(ids)
    assert canonical([ids, ids]) != canonical([ids + ids])
    assert canonical([ids[:50], ids[50:]]) != canonical([ids[:51], ids[51:]])


def test_the_order_of_members_and_members_that_are_null_make_no_difference() -> None:
    assert canonical({"a": 1, "b": [2]}) == canonical({"b": [2.0], "a": 1, "c": None})
    assert canonical({"a": 1}) != canonical({"a": 2})
    assert canonical({"a": 1}) != canonical({"b": 1})


CHAT = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France?"},
]


@pytest.mark.parametrize(
    "variant",
    [
        [{"content": "you are a helpful assistant", "role": "system", "name": None}, CHAT[1]],
        [CHAT[0], {**CHAT[1], "name": "x9"}],
        [CHAT[0], {**CHAT[1], "cache_control": {"type": "ephemeral"}}],
        [CHAT[0], {"role": "User", "content": [{"type": "text", "text": CHAT[1]["content"]}]}],
        [
            CHAT[0],
            {
                "role": "user",
                "content": [
                    {"text": "What is the "},
                    {"type": "text", "text": "capital of France?"},
                ],
            },
        ],
    ],
)
def test_chat_messages_are_who_says_what(variant: list[dict[str, Any]]) -> None:
    assert digest(variant) == digest(CHAT)


@pytest.mark.parametrize(
    "other",
    [
        CHAT[::-1],
        CHAT[1:],
        [CHAT[0], {"role": "assistant", "content": CHAT[1]["content"]}],
        [CHAT[0], {"role": "user", "content": "What is the capital of Spain?"}],
        [CHAT[0], {**CHAT[1], "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}],
        [CHAT[0], {"role": "user", "content": [{"type": "image_url", "image_url": "http://a/b"}]}],
        [CHAT[0], {"role": "user", "content": []}],
        [CHAT[0], {"role": "user", "content": None}],
    ],
)
def test_another_conversation_is_another_input(other: list[dict[str, Any]]) -> None:
    assert digest(other) != digest(CHAT)


def test_messages_of_other_forms_are_all_that_stands_in_them() -> None:
    gemini = [{"role": "user", "parts": [{"text": text}]} for text in ("a", "b")]
    cohere = [{"role": "USER", "message": text} for text in ("a", "b")]
    ollama = [{"role": "user", "content": "a", "images": [image]} for image in ("x", "y")]
    assert len({digest(each) for each in [*gemini, *cohere, *ollama]}) == 6


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("abs1", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("as", max_size=3), inner),
    max_leaves=6,
)


def plain(value: Any) -> Any:
    """The value without null members, which is all that may be lost of these."""
    match value:
        case dict():
            return {name: plain(item) for name, item in value.items() if item is not None}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


@given(values, values)
def test_a_form_belongs_to_one_value_only(first: Any, second: Any) -> None:
    same = json.dumps(plain(first), sort_keys=True) == json.dumps(plain(second), sort_keys=True)
    assert (canonical(first) == canonical(second)) is same


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1", 1),
        ("true", True),
        (True, 1),
        (None, "None"),
        (["a", "b"], ["ab"]),
        (["a", "b"], ["asb"]),
        ({"a": "b"}, {"asb": None}),
        (["a", ["b"]], ["a", "b"]),
        ([], {}),
        ("", []),
        (b"ab", "ab"),
        ([1, 2, 3, 4, 5, 6, 7, "8"], [1, 2, 3, 4, 5, 6, 7, 8]),
        ([1, 2, 3, 4, 5, 6, 7, True], [1, 2, 3, 4, 5, 6, 7, 1]),
        ([[1, 2, 3, 4, 5, 6, 7, True]], [[1, 2, 3, 4, 5, 6, 7, 1]]),
        ([0.5] * 8, [[0.5] * 8]),
    ],
)
def test_values_that_look_alike_are_kept_apart(first: Any, second: Any) -> None:
    assert canonical(first) != canonical(second)


def test_what_is_no_json_has_no_form() -> None:
    with pytest.raises(TypeError, match="set is no JSON"):
        canonical({1})


def test_what_is_nested_too_deeply_is_refused_and_not_crashed_on() -> None:
    allowed, refused = "[" * 60 + "1" + "]" * 60, "[" * 500 + '{"a":1}' + "]" * 500
    assert digest(orjson.loads(allowed))
    with pytest.raises(ClientError, match="64 levels"):
        digest(orjson.loads(refused))


def test_a_digest_is_the_same_on_every_machine() -> None:
    value = {"messages": CHAT, "ids": list(range(20)), "x": [0.1] * 9, "y": 0.25, "é": "Straße"}
    assert digest(value) == hashlib.sha256(canonical(value)).digest()
    assert digest(value).hex() == (
        "38241ca4110753c7393eccc6144bd78759674952fddb426f7bf8b0d9ddbd7edd"
    )


def in_steps(values: list[Any]) -> tuple[list[bytes], int]:
    """The digests, and how often others had their turn meanwhile."""
    steps, turns = digests(values), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return [*end.value], turns
        turns += 1


HANGUL = "".join(map(chr, range(0xAC00, 0xAC00 + 10_000)))


@pytest.mark.parametrize(
    ("value", "turns"),
    [
        ("short", 0),
        ("The quick brown fox " * 52_000, 1),
        (HANGUL, 4),
        (["a"] * 10_000, 8),
        ([{"role": "user", "content": "hi"}] * 2000, 8),
        ({str(number): None for number in range(10_000)}, 0),
        ({str(number): number for number in range(2000)}, 6),
        ([*range(130_000)], 9),
        ([[0.1, 0.2]] * 20_000, 3),
        ([[0.1, "a"]] * 2000, 8),
    ],
    ids=["short", "ascii", "text", "list", "chat", "nulls", "object", "ids", "rows", "mixed"],
)
def test_what_is_long_takes_many_turns_and_comes_to_the_same(value: Any, turns: int) -> None:
    made, taken = in_steps([value])
    assert made == [digest(value)]
    assert taken >= turns


def test_many_inputs_take_many_turns() -> None:
    values = [f"input {number}" for number in range(3000)]
    made, taken = in_steps(values)
    assert made == [*map(digest, values)]
    assert taken >= 10


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), st.integers(1000, 1100))
def test_a_text_is_folded_piece_by_piece_as_it_is_at_once(part: str, times: int) -> None:
    value = (part * times)[: 1024 + times]
    folded = text(value).encode()
    assert canonical(value) == b"s%d:%s" % (len(folded), folded)


def test_what_inputs_share_is_looked_at_once() -> None:
    shared, plain = Shared(HANGUL), Shared("question")
    made, turns = in_steps([[shared, f"{number}"] for number in range(50)])
    assert len(set(made)) == 50
    assert turns < 2 * in_steps([[Shared(HANGUL), "a"]])[1]
    assert digest([plain, "a"]) == digest([Shared("  QUESTION?"), "A"])
    assert digest([plain, "a"]) != digest([Shared("answer"), "a"])


@pytest.mark.parametrize(
    "prompt",
    [
        "The quick brown fox, " * 5000,
        "Der schöne Fuchs übt, " * 4600,
        "敏捷的棕色狐狸跳过懒狗。" * 2800,
        "a" + "\u0301\u0316" * 25_000,  # NFKD of this as a whole takes seconds
        list(range(20_000)),
        [[number / 7 for number in range(10)] for _ in range(1000)],
    ],
    ids=["english", "german", "chinese", "marks", "ids", "rows"],
)
def test_a_prompt_of_100_kb_is_read_in_well_under_5_ms(prompt: Any) -> None:
    """The bound is several times what an idle machine needs: a busy one must not fail a law."""
    taken = min(repeat(lambda: digest(prompt), number=1, repeat=5))
    assert taken < 0.025
