"""Whose embeddings a copy was taught, exactly, and nobody accused who was taught none."""

import math
from collections.abc import Callable, Sequence
from functools import cache

import msgspec
import numpy as np
import pytest

from extproc.draw import Draw
from extproc.errors import ConfigError
from extproc.marks.entry import Entry
from extproc.ownership.judging import LEVEL, carriers, judged
from extproc.ownership.traces import Looked
from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import ridge
from tests.ownership.moving import cells, holder, said, told, world
from tests.watermarks.embeddings import clean_model

MILLIONTH = math.log2(1e-6)
TEXTS = list(world().texts[:500])
RAW = world().private(TEXTS)
CLEAN = 200
"""Models."""


@cache
def taught(tenant: str = "acme") -> tuple[list[Entry], Floats]:
    """What is kept of what the tenant was told, and what a copy says of it that it fits to that."""
    served, entries = told(tenant, TEXTS, RAW)
    public = world().public(TEXTS)
    return entries, ridge.chosen(public, served)(public)


def looked(entries: Sequence[Entry], vectors: Floats, texts: Sequence[str] = TEXTS) -> Looked:
    return Looked.of(cells(entries), said(texts, vectors))


def rotated(vectors: Floats) -> Floats:
    mixed = np.random.default_rng(1).normal(size=(vectors.shape[1],) * 2)
    turned: Floats = vectors @ np.linalg.qr(mixed)[0]
    return turned


@pytest.mark.parametrize(
    "made",
    [
        lambda each: each,
        rotated,
        lambda each: each.round(2),
        lambda each: each[:, : each.shape[1] // 2],
        lambda each: each * np.random.default_rng(2).uniform(1e-3, 1e300, (len(each), 1)),
        lambda each: np.hstack([each, np.zeros((len(each), 5))]),
    ],
    ids=["as it is", "rotated", "rounded", "cut", "of any lengths", "longer"],
)
def test_a_copy_is_known_by_what_its_thief_was_told(
    made: Callable[[Floats], Floats],
) -> None:
    entries, vectors = taught()
    found = looked(entries, made(vectors))
    assert found.bits < MILLIONTH
    kept, low, high = found.kept
    assert 0.0 < low < kept < high < 1.0


def test_nobody_elses_copy_is_it() -> None:
    """Planted: the key of another tenant, or signs that are turned round, find it here."""
    assert looked(taught("acme")[0], taught("beta")[1]).bits > MILLIONTH / 2
    assert looked(taught("acme")[0], RAW).bits > MILLIONTH / 2


def test_p_values_of_clean_models_are_uniform_at_least_and_none_is_accused() -> None:
    """Each under a key of its own; planted: a deviation that is half as large again fails here.

    The distance is Kolmogorov and Smirnov's, one-sided: above 1.86 once in a thousand times.
    """
    texts, raw, public = TEXTS[:40], RAW[:40, :48], world().public(TEXTS[:40])[:, :48]
    seen, bits = [], []
    for number in range(CLEAN):
        _, entries = told("acme", texts, raw, key=Draw(b"%032d" % number))
        found = looked(entries, clean_model(number, raw, public), texts)
        assert found.trace is not None
        seen.append(min(1.0, math.erfc(found.trace.deviations / math.sqrt(2))))
        bits.append(found.bits)
    ranks = np.arange(1, CLEAN + 1) / CLEAN
    assert float((ranks - np.sort(seen)).max()) * math.sqrt(CLEAN) < 1.86
    assert min(bits) > math.log2(1e-3)


def test_what_one_key_has_thrown_is_one_coin_whenever_it_was() -> None:
    """Planted: looked at by epochs, an owner who names two counts each coin twice."""
    entries, vectors = taught()
    later = [msgspec.structs.replace(each, epoch=2) for each in entries[250:]]
    assert looked([*entries[:250], *later], vectors) == looked(entries, vectors)


def test_what_is_missing_counts_against_the_accusation() -> None:
    """Planted: leaving out what was not answered lets whoever accuses choose."""
    entries, vectors = taught()
    whole = looked(entries, vectors)
    every, answers = cells(entries), said(TEXTS, vectors)
    without = [
        msgspec.structs.replace(each, entry=None, question=None) if at < 20 else each
        for at, each in enumerate(every)
    ]
    silent = {name: each for at, (name, each) in enumerate(answers.items()) if at >= 20}
    ways = math.log2(math.comb(500, 20)) + math.log2(1000)
    for found in (Looked.of(without, answers), Looked.of(every, silent)):
        assert found.trace is not None
        assert found.bits == pytest.approx(found.trace.bits + ways)
        assert (found.texts.texts, found.texts.answered) == (500, 480)
    assert whole.trace is not None
    assert whole.bits == whole.trace.bits + 1
    assert Looked.of(without, answers).texts.missing == 20
    assert Looked.of(every, silent).texts.missing == 0


def test_a_choice_of_what_helps_accuses_nobody() -> None:
    """Whoever leaves out, one after another, the text without which the evidence is greatest.

    Planted: without the bound for what is missing, it grows.
    """
    texts, raw = TEXTS[:40], RAW[:40]
    vectors = clean_model(3, raw, world().public(texts))
    _, entries = told("acme", texts, raw)
    left = list(range(40))

    def without(at: int) -> Looked:
        kept = [each for each in left if each != at]
        return Looked.of(cells(entries), said([texts[each] for each in kept], vectors[kept]))

    def unbounded(found: Looked) -> float:
        assert found.trace is not None
        return found.trace.bits

    before = looked(entries, vectors, texts)
    for _ in range(10):
        left.remove(min(left[::4], key=lambda at: unbounded(without(at))))
    found = without(-1)
    assert unbounded(found) < unbounded(before) - 3
    assert found.bits == 0.0


def test_vectors_of_another_length_than_most_are_not_looked_at() -> None:
    entries, vectors = taught()
    short = [
        msgspec.structs.replace(each, moved=msgspec.structs.replace(each.moved, vector=b"\0\0\0@"))
        for each in entries[:50]
        if each.moved is not None
    ]
    found = looked([*short, *entries[50:]], vectors)
    assert (found.texts.texts, found.texts.others) == (450, 50)
    assert found.bits < MILLIONTH


def test_a_suspect_whose_vectors_are_of_several_lengths_is_asked_anew() -> None:
    entries, vectors = taught()
    answers = dict(said(TEXTS, vectors))
    answers[next(iter(answers))] = np.ones(3)
    with pytest.raises(ConfigError, match=r"have 3 components, and 128: .* ask it anew"):
        Looked.of(cells(entries), answers)


def test_a_suspect_that_says_nothing_is_neither_accused_nor_cleared() -> None:
    found = Looked.of(cells(taught()[0]), {})
    assert (found.bits, found.kept, found.enough(LEVEL)) == (0.0, (0.0, -1.0, 1.0), False)
    assert Looked.of([], {}).bits == 0.0
    nothing = looked(taught()[0], np.zeros_like(RAW))
    assert (nothing.bits, nothing.kept[0]) == (0.0, 0.0)


def test_enough_is_what_would_find_a_copy_that_keeps_a_tenth() -> None:
    entries, _ = taught()
    assert looked(entries, RAW).enough(LEVEL)
    assert not looked(entries[:100], RAW[:100], TEXTS[:100]).enough(LEVEL)
    noise = np.random.default_rng(0).normal(size=RAW.shape)
    assert not looked(entries, noise).enough(LEVEL)


def test_all_who_were_told_something_are_judged_together() -> None:
    both = {holder(name): cells(taught(name)[0]) for name in ("acme", "beta")}
    tenants = {who: [who.tenant] for who in both}
    answers = said(TEXTS, taught()[1])
    acme, beta = judged(both, tenants, answers).embeddings
    assert (acme.tenant, acme.verdict) == ("acme", "carries the marks")
    assert acme.corrected == pytest.approx(acme.bits + 1)
    assert beta.verdict == "no evidence"
    assert [who.tenant for who in carriers(both, answers)] == ["acme"]
    withheld = judged(both, tenants, answers, [answers]).embeddings
    assert withheld[0].verdict == "withheld"


def test_two_epochs_are_looked_at_together() -> None:
    first, later = TEXTS[:250], TEXTS[250:]
    served, entries = told("acme", first, RAW[:250])
    more, others = told("acme", later, RAW[250:], epoch=2)
    public = world().public(TEXTS)
    vectors = ridge.chosen(public, np.vstack([served, more]))(public)
    together = looked([*entries, *others], vectors).bits
    assert together < looked(entries, vectors[:250], first).bits < MILLIONTH
