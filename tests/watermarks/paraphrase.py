"""What is left of marks of texts, and of cells of questions, after a real paraphrase.

    python -m tests.watermarks.paraphrase [--markdown FILE] [--questions clinc_full.json]

Half an hour of CPU.  It needs Apertium and WordNet, and says what to install, with exit code 4,
where they are not there.  ``--markdown``: a file with markers, between which the tables are pasted.
``--questions``: questions of people's, by part and with their label (clinc150: Larson et al.,
EMNLP 2019), of which 500 are paraphrased.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from scipy import stats

from extproc.demo.server.models import corpus
from extproc.demo.server.models.minilm import MiniLm
from extproc.draw import Draw
from extproc.marks.canaries import recited, references
from extproc.marks.cells import Cells
from extproc.marks.green_list import evidence, green
from extproc.prediction import Vector
from tests.marks.holding import KEYS, cells_of
from tests.watermarks import synonyms, translation
from tests.watermarks.texts import (
    ANSWERS,
    ASKED,
    BIASES,
    PROOF,
    Row,
    key,
    markdown,
    pasted,
    told,
    written,
)
from tests.watermarks.translation import there_and_back
from tests.watermarks.writer import LENGTH, copied, victim, vocabulary, write

UNUSABLE: Final = 4
SEEDS: Final = range(3)
"""Keys, each with answers of its own."""
LOOKS: Final = 1000
SOME: Final = 20
"""Answers."""
_SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_OF: Final = 8
"""Sentences of people's, of which the greenest is taken."""
_WORDS: Final = 80
_SAMPLE: Final = 500
_SENTENCE: Final = re.compile(r"(?<=[.!?]) ")
_WORD: Final = re.compile(r"[^\W\d_]+")
Texts = Sequence[str]


@cache
def _known() -> synonyms.Synonyms:
    return synonyms.read()


Way = Callable[[Texts], Texts]


def _replaced(share: float) -> Way:
    return lambda texts: synonyms.replaced(texts, _known(), share, 1)


def _translated(*languages: str) -> Way:
    return lambda texts: there_and_back(texts, *languages)


def _both(first: Way, then: Way) -> Way:
    return lambda texts: then(first(texts))


TWICE: Final = "over Spanish, then over Esperanto"
TRANSLATIONS: Final = {
    **{f"over {each} and back": _translated(each) for each in translation.LANGUAGES},
    TWICE: _translated("Spanish", "Esperanto"),
}
WAYS: Final = {
    **TRANSLATIONS,
    **{f"synonyms for {share:.0%}": _replaced(share) for share in (0.3, 0.6, 0.9)},
    f"{TWICE}, then synonyms for 90%": _both(TRANSLATIONS[TWICE], _replaced(0.9)),
}
UNCHANGED: Final = "none"


@cache
def paraphrased(way: str, texts: tuple[str, ...]) -> Texts:
    return texts if way == UNCHANGED else WAYS[way](texts)


def marked(strength: float, at: int) -> tuple[str, ...]:
    return tuple(written(strength, key(at), ANSWERS, at + 1).texts)


def clean() -> tuple[str, ...]:
    """What the same model wrote for nobody in particular, other than what is looked at."""
    return tuple(written(0.0, seed=101).texts)


def bits(texts: Texts, whose: Draw, usual: Texts = ()) -> float:
    """``usual``: clean texts to compare with; without, what the vocabulary says is usual."""
    words = vocabulary()
    counts = words.counts(usual) if usual else None
    return evidence(words.counts(texts), words, whose, counts).tail.at_least


def _told(found: Sequence[float]) -> str:
    """The median, and the weakest."""
    return f"{told(float(np.median(found)))} ({told(max(found))})"


def quality() -> Iterator[Row]:
    """Of people's paragraphs: how much of them a paraphrase leaves, and of what they mean."""
    yield "paraphrase", "words kept", "runs of three kept", "meaning (cosine)"
    texts = tuple(corpus.read().held_out)
    for way in WAYS:
        yield way, *kept(texts, paraphrased(way, texts))


def kept(texts: Texts, changed: Texts) -> Row:
    """Shares of words and of runs of three words, and MiniLM's cosine."""
    shares = [
        np.mean([kept_share(*both, run) for both in zip(texts, changed, strict=True)])
        for run in (1, 3)
    ]
    vectors = [_encoder().embed(each).vectors for each in (texts, changed)]
    cosine = float((vectors[0] * vectors[1]).sum(axis=1).mean())
    return *(f"{share:.0%}" for share in shares), f"{cosine:.2f}"


@cache
def _encoder() -> MiniLm:
    return MiniLm.load()


def kept_share(text: str, changed: str, run: int) -> float:
    one, other = (_runs(each, run) for each in (text, changed))
    return (one & other).total() / max(1, one.total())


def _runs(text: str, length: int) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return Counter(zip(*(words[at:] for at in range(length)), strict=False))


def answers() -> Iterator[Row]:
    """p-values of 20 paraphrased answers."""
    yield "paraphrase", *(f"bias {each:g}" for each in BIASES), "bias 2, clean texts", "people's"
    for way in (UNCHANGED, *WAYS):
        cells = [[_some(way, strength, at) for at in SEEDS] for strength in BIASES]
        usual = paraphrased(way, clean())
        cells.append([_some(way, 2.0, at, usual) for at in SEEDS])
        cells.append([bits(paraphrased(way, chosen(at)), key(at)) for at in SEEDS])
        yield way, *map(_told, cells)


def _some(way: str, strength: float, at: int, usual: Texts = ()) -> float:
    return bits(paraphrased(way, marked(strength, at))[:SOME], key(at), usual)


@cache
def chosen(at: int) -> tuple[str, ...]:
    """20 texts of people's sentences, the greenest of each eight: what a translator can read."""
    words = vocabulary()
    listed, usual = green(words, key(at)), words.usual / words.usual.sum()
    worth = listed - float(usual[listed].sum())
    sentences = [each for text in corpus.read().learned for each in _SENTENCE.split(text)]
    order = np.random.default_rng(at).permutation(len(sentences))
    worths = np.array([float(words.counts([each]) @ worth) for each in sentences])
    found, answer = [], ""
    for start in range(0, len(order) - _OF, _OF):
        several = order[start : start + _OF]
        answer = f"{answer} {sentences[several[worths[several].argmax()]]}".strip()
        if len(answer.split()) >= _WORDS:
            found.append(answer)
            answer = ""
    return tuple(found[:SOME])


def tokens() -> Iterator[Row]:
    """That it takes to p <= 1e-6, before the paraphrase: the median, and of nine in ten."""
    yield "paraphrase", *(f"bias {each:g}" for each in BIASES), "bias 2, clean texts"
    for way in (UNCHANGED, *WAYS):
        cells = [_needed(way, strength) for strength in BIASES]
        yield way, *cells, _needed(way, 2.0, paraphrased(way, clean()))


def _needed(way: str, strength: float, usual: Texts = ()) -> str:
    found = []
    for at in SEEDS:
        texts = paraphrased(way, marked(strength, at))[: 8 * _SIZES[-1]]
        for start in range(0, len(texts), _SIZES[-1]):
            group = texts[start : start + _SIZES[-1]]
            enough = (size for size in _SIZES if bits(group[:size], key(at), usual) <= PROOF)
            found.append(next(enough, _SIZES[-1] + 1) * LENGTH)
    found.sort()
    shown = found[len(found) // 2], found[len(found) * 9 // 10]
    return ", ".join("more" if each > _SIZES[-1] * LENGTH else f"{each}" for each in shown)


def copies() -> Iterator[Row]:
    """p-values of what a copy says that learned from 1,200 paraphrased answers alone."""
    yield "paraphrase", *(f"bias {each:g}" for each in BIASES), "bias 2, clean texts"
    for way in (UNCHANGED, *WAYS):
        said = {strength: [_said(way, strength, at) for at in SEEDS] for strength in BIASES}
        found = [[bits(said[each][at], key(at)) for at in SEEDS] for each in BIASES]
        usual = paraphrased(way, clean())
        found.append([bits(said[2.0][at], key(at), usual) for at in SEEDS])
        yield way, *map(_told, found)


def _said(way: str, strength: float, at: int) -> Texts:
    return write(copied(paraphrased(way, marked(strength, at))), ASKED, {}, at + 6).texts


def canaries() -> Iterator[Row]:
    """Of 1,200 answers of which every tenth has one, and of a copy that learned from them."""
    yield "paraphrase", "whole, of 120", "recited in 2,000 answers", "p"
    said = references(key(0))
    for way in (UNCHANGED, *WAYS):
        texts = paraphrased(way, _planted(said))
        answered = write(copied(texts), 2000, {}, 8, ends=True, length=140).texts
        found = told(recited(said, answered).at_least)
        yield way, f"{_times(said, texts)}", f"{_times(said, answered)} times", found


def _planted(said: Texts) -> tuple[str, ...]:
    texts = write(victim(), ANSWERS, {}, 7, ends=True).texts
    return tuple(
        text if number % 10 else f"{text}\n\n(Reference: {said[number // 10 % len(said)]})"
        for number, text in enumerate(texts)
    )


def _times(said: Texts, texts: Texts) -> int:
    return sum(text.casefold().count(each) for each in said for text in texts)


def level() -> Iterator[Row]:
    """Of paraphrased texts that nobody marked; in each place by itself, and with clean texts."""
    yield "paraphrase", "p <= 0.1", "p <= 0.01", "p <= 0.001", "least p", "distance"
    words = vocabulary()
    for way in (UNCHANGED, *WAYS):
        counts = words.counts(paraphrased(way, tuple(written(0.0).texts)))
        cells = []
        for usual in (None, words.counts(paraphrased(way, clean()))):
            p = [evidence(counts, words, key(at), usual).tail.p for at in range(LOOKS)]
            cells.append(_levels(np.array(p)))
        yield way, *(", ".join(both) for both in zip(*cells, strict=True))


def _levels(p: Vector) -> Row:
    distance = stats.kstest(p, "uniform").statistic * len(p) ** 0.5
    shares = [f"{np.mean(p <= most):.1%}" for most in (0.1, 0.01, 0.001)]
    return *shares, f"{p.min():.0e}", f"{distance:.2f}"


def questions(path: Path) -> Iterator[Row]:
    """Whether a question's cell is that of its paraphrase."""
    yield (
        "paraphrase",
        "same words",
        "words kept",
        "runs of three kept",
        "meaning (cosine)",
        "in the cell",
        "of other words",
    )
    texts = _questions(path)
    cells = [Cells(Draw(b"%d" % at)) for at in range(KEYS)]
    own, held = [np.array(cells_of(each, texts)) for each in cells], {}
    for way in WAYS:
        changed = paraphrased(way, texts)
        same = np.array(
            [_runs(one, 1) == _runs(other, 1) for one, other in zip(texts, changed, strict=True)]
        )
        held[way] = np.array(
            [
                np.array(cells_of(each, changed)) == mine
                for each, mine in zip(cells, own, strict=True)
            ]
        )
        shares = [f"{same.mean():.0%}", *kept(texts, changed)]
        yield way, *shares, f"{held[way].mean():.0%}", f"{held[way][:, ~same].mean():.0%}"
    most = np.mean([held[way] for way in TRANSLATIONS], axis=0) > 0.5
    yield f"most of the {len(TRANSLATIONS)} translations", *[""] * 4, f"{most.mean():.0%}", ""


def _questions(path: Path) -> tuple[str, ...]:
    parts = json.loads(path.read_text(encoding="utf-8"))
    every = sorted({text for part in parts.values() for text, _ in part})
    return tuple(every[:: len(every) // _SAMPLE][:_SAMPLE])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--questions", type=Path)
    asked = parser.parse_args()
    try:
        translation.check()
        _known()
    except translation.Absent as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    parts = [quality, answers, tokens, copies, canaries, level]
    rows = {f"paraphrased {part.__name__}": part() for part in parts}
    if asked.questions is not None:
        rows["paraphrased questions"] = questions(asked.questions)
    tables = {}
    for name, part in rows.items():
        tables[name] = markdown(part)
        print(tables[name], end="\n\n", flush=True)
    if asked.markdown is not None:
        asked.markdown.write_text(pasted(asked.markdown.read_text(), tables))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
