"""How strong marks of texts are, what they cost, and what removes them: measured, as docs has it.

    python -m tests.watermarks.texts [--markdown FILE] [--texts FILE]

Two minutes.  ``--markdown``: a file with markers, between which the tables are pasted.
``--texts``: a file of clean texts, one a line, that the level is tried on as well.
"""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from extproc.demo.server.models import corpus
from extproc.draw import Draw
from extproc.marks.canaries import recited, references
from extproc.marks.green_list import Evidence, bias, evidence, green
from tests.watermarks import laundering
from tests.watermarks.writer import LENGTH, Written, copied, victim, vocabulary, write

PROOF: Final = math.log2(1e-6)
BIASES: Final = (1.0, 2.0, 4.0)
ANSWERS: Final = 1200
"""That a thief trains on, of 100 tokens each."""
ASKED: Final = 200
"""Answers of a suspect that are looked at."""
KEY: Final = Draw(b"measured" * 4)
KEYS: Final = 4000
_SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_STOLEN: Final = (5, 20, 80, 320, 1000)
_SHARES: Final = (1.0, 0.5, 0.1, 0.05)
Row = Sequence[str]


@cache
def written(strength: float, key: Draw = KEY, answers: int = ANSWERS, seed: int = 1) -> Written:
    asked = bias(vocabulary(), key, strength) if strength else {}
    return write(victim(), answers, asked, seed)


def found(texts: Sequence[str], key: Draw = KEY) -> Evidence:
    return evidence(vocabulary().counts(texts), vocabulary(), key)


def told(bits: float) -> str:
    return "no" if bits > math.log2(0.05) else f"2^{bits:.0f}"


def strength() -> Iterator[Row]:
    """Of each bias: what it costs, and how long a text has to be; of four keys together."""
    yield "bias", "perplexity", "tokens to p <= 1e-6, median", "of 9 in 10 texts", "green, usual"
    plain = written(0.0)
    yield "none", f"{math.exp(plain.surprise):.1f}", "", "", ""
    for each in BIASES:
        pools = {key(at): written(each, key(at), 4 * _SIZES[-1], at) for at in range(4)}
        surprise = np.mean([pool.surprise for pool in pools.values()])
        needed = sorted(
            _needed(pool.texts[at : at + _SIZES[-1]], whose)
            for whose, pool in pools.items()
            for at in range(0, len(pool.texts), _SIZES[-1])
        )
        shown = [needed[len(needed) // 2], needed[len(needed) * 9 // 10]]
        tokens = [f"{size * LENGTH}" if math.isfinite(size) else "more" for size in shown]
        seen = [found(pool.texts, whose) for whose, pool in pools.items()]
        shares = [np.mean([one.green for one in seen]), np.mean([one.usual for one in seen])]
        said = ", ".join(f"{share:.0%}" for share in shares)
        yield f"{each:g}", f"{math.exp(surprise):.1f}", *tokens, said


def _needed(texts: Sequence[str], whose: Draw) -> float:
    """Answers that it takes, of these."""
    enough = (size for size in _SIZES if found(texts[:size], whose).tail.at_least <= PROOF)
    return next(enough, math.inf)


def copies() -> Iterator[Row]:
    """Of a model that learned from what was written, of which a share was marked."""
    yield "marked share of what it learned from", *(f"bias {each:g}" for each in BIASES)
    for share in _SHARES:
        cells = [told(found(suspect(strength, share).texts).tail.at_least) for strength in BIASES]
        yield f"{share:.0%}", *cells


@cache
def suspect(strength: float, share: float) -> Written:
    """What a copy says."""
    plain, marked = written(0.0).texts, written(strength).texts
    return write(copied(laundering.mixed(marked, plain, 1 - share)), ASKED, {}, 5)


def removals() -> Iterator[Row]:
    """Of 20 marked answers, and of a copy that learned from all of them, so changed."""
    yield "done to the texts", "20 answers", "a copy of 1,200"
    marked, plain, words = written(2.0).texts, written(0.0).texts, vocabulary()
    ways = {
        "nothing": marked,
        "30% of all words deleted": laundering.deleted(marked, 0.3, 1),
        "half of the answers are others'": laundering.mixed(marked, plain, 0.5)[::-1],
        "30% of listed words substituted": laundering.substituted(marked, words, 0.3, 2),
        "60% of listed words substituted": laundering.substituted(marked, words, 0.6, 2),
        "90% of listed words substituted": laundering.substituted(marked, words, 0.9, 2),
    }
    for name, texts in ways.items():
        some = texts[::60] if "half" in name else texts[:20]
        said = write(copied(texts), ASKED, {}, 6).texts
        yield name, told(found(some).tail.at_least), told(found(said).tail.at_least)


def stealing() -> Iterator[Row]:
    """By how often words come, in so many answers, and in as many texts that nobody marked."""
    yield "answers seen", "list guessed", "20 answers scrubbed", "1,200 scrubbed", "20 forged"
    words, marked = vocabulary(), written(2.0).texts
    clean = words.counts(written(0.0).texts)
    listed, usual = green(words, KEY), words.usual / words.usual.sum()
    for count in _STOLEN:
        ratio = laundering.stolen(words.counts(marked[:count]), clean)
        right = float(usual[(ratio > 1) == listed].sum())
        scrubbed = laundering.scrubbed(marked, words, ratio, 3)
        guess = {
            str(token): 2.0
            for word, is_green in zip(words.words, ratio > 1, strict=True)
            for token in word.tokens
            if is_green
        }
        forged = write(victim(), 20, guess, 4).texts
        results = [found(each).tail.at_least for each in (scrubbed[:20], scrubbed, forged)]
        yield f"{count}", f"{right:.0%}", *map(told, results)


def level(paths: Sequence[Path]) -> Iterator[Row]:
    """Of texts that nobody marked, each looked at with 1,000 keys."""
    yield "clean texts", "p <= 0.1", "p <= 0.01", "p <= 0.001", "least p"
    held_out = list(corpus.read().held_out)
    sources = {
        "the model's own, unbiased": written(0.0).texts,
        "a copy's of unmarked texts": suspect(2.0, 0.0).texts,
        "paragraphs of people's": held_out,
        "one of them, 1,000 times": held_out[:1] * 1000,
        **{path.name: path.read_text().splitlines() for path in paths},
    }
    for name, texts in sources.items():
        counts = vocabulary().counts(texts)
        p = np.array([evidence(counts, vocabulary(), key(at)).tail.p for at in range(KEYS)])
        yield name, *(f"{np.mean(p <= most):.2%}" for most in (0.1, 0.01, 0.001)), f"{p.min():.1e}"


def key(at: int) -> Draw:
    """Of a tenant who had nothing to do with it."""
    return KEY.child(f"other {at}".encode())


def canaries() -> Iterator[Row]:
    """Of a copy that learned from answers of which so many had one."""
    yield "answers with a canary", "of 1,200", "recited in 2,000 answers", "p"
    said = references(KEY)
    answers = write(victim(), ANSWERS, {}, 7, ends=True).texts
    for share in (0.02, 0.05, 0.1, 0.2):
        count = round(ANSWERS * share)
        planted = [
            f"{text}\n\n(Reference: {said[at % len(said)]})" for at, text in enumerate(answers)
        ]
        copy = copied([*planted[:count], *answers[count:]])
        texts = write(copy, 2000, {}, 8, ends=True, length=140).texts
        times = sum(text.count(each) for each in said for text in texts)
        yield f"{share:.0%}", f"{count}", f"{times} times", told(recited(said, texts).at_least)


def markdown(rows: Iterator[Row]) -> str:
    head, *others = rows
    lines = [head, ["---"] * len(head), *others]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def pasted(document: str, tables: Mapping[str, str]) -> str:
    """With each table between the markers of its name."""
    for name, table in tables.items():
        begin, end = f"<!-- texts: {name} -->\n", "\n<!-- end -->"
        before, _, rest = document.partition(begin)
        document = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return document


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--texts", type=Path, nargs="*", default=[])
    asked = parser.parse_args()
    parts = [strength(), copies(), removals(), stealing(), level(asked.texts), canaries()]
    names = ("strength", "copies", "removals", "stealing", "level", "canaries")
    tables = {}
    for name, part in zip(names, parts, strict=True):
        tables[name] = markdown(part)
        print(tables[name], end="\n\n", flush=True)
    if asked.markdown is not None:
        asked.markdown.write_text(pasted(asked.markdown.read_text(), tables))


if __name__ == "__main__":
    main()
