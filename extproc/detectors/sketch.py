"""Sketches: what detectors learn of queries, made of what the sidecar noted of exchanges.

Rule: what is learned of an input depends on it, the key and the reference alone, whatever stands
beside it; only the work is shared.  Nothing that an input holds makes this raise.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from extproc.canonical import digest
from extproc.detectors import entropy
from extproc.detectors.corners import Corners
from extproc.detectors.features import KNOBS, LABELS, MARGINS, MODELS, NORMS, Features
from extproc.detectors.grams import Grams
from extproc.detectors.observation import SAMPLE, Observation
from extproc.detectors.reference import TEXT, Reference, domain_name, fingerprint
from extproc.detectors.shingles import Shingles
from extproc.detectors.space import Matrix, Space
from extproc.detectors.subject_matter import Numbers, subject_matter
from extproc.detectors.words import scripts, words
from extproc.draw import Draw
from extproc.errors import ConfigError, ExtprocError

_AT_ONCE: Final = 64
"""Inputs whose work is shared."""
_FEW: Final = 8
"""Numbers below which, without a reference, inputs are alike only where they are the same."""


_NONE: Final = np.zeros(0, np.uint8)


class _Rows(Struct, eq=False):
    """Of all inputs; see Features."""

    digests: npt.NDArray[np.uint64]
    simhashes: npt.NDArray[np.uint64]
    cells: npt.NDArray[np.int16]
    surprises: npt.NDArray[np.float32]
    lengths: npt.NDArray[np.uint8]
    entropies: npt.NDArray[np.uint8]
    scripts: npt.NDArray[np.uint8]


class Sketcher:
    def __init__(self, reference: Reference | None, key: bytes) -> None:
        """Of a reference that ``reference.check`` has passed, or of none.

        Raise ConfigError where it was learned under another key.
        """
        secret = Draw(key)
        if reference is not None and reference.key != fingerprint(secret):
            raise ConfigError("The reference was learned under another key: learn it anew.")
        self._spaces: dict[str, tuple[int, Space]] = {}
        start = 0
        for name, domain in {} if reference is None else reference.domains.items():
            self._spaces[name] = start, Space(domain)
            start += len(domain.sizes)
        self._grams, self._shingles = Grams(secret), Shingles(secret)
        self._corners = Corners(secret)
        self._digesting = secret.child(b"digests").octets(32)
        self._naming = secret.child(b"models").octets(32)

    def features(self, observations: Sequence[Observation]) -> list[Features]:
        """Of each, in their order."""
        sizes = [min(len(each.inputs), SAMPLE) for each in observations]
        inputs = [value for each in observations for value in each.inputs[:SAMPLE]]
        matters = [subject_matter(value) for value in inputs]
        rows = _rows(self._digests(observations, inputs, matters))
        for name, places in _by_domain(matters).items():
            for start in range(0, len(places), _AT_ONCE):
                some = np.array(places[start : start + _AT_ONCE])
                self._sketch(name, [matters[at] for at in some], rows, some)
        starts = np.cumsum([0, *sizes]).tolist()
        return [
            self._of(each, rows, slice(start, start + size))
            for each, start, size in zip(observations, starts, sizes, strict=False)
        ]

    def _digests(
        self, observations: Sequence[Observation], inputs: Sequence[Any], matters: Sequence[Any]
    ) -> npt.NDArray[np.uint64]:
        given: list[bytes] = []
        for each in observations:
            of_all, count = each.digests, min(len(each.inputs), SAMPLE)
            step = -(-len(of_all) // SAMPLE) or 1
            end = len(given) + count
            given += of_all[::step][:count]
            missing = range(len(given), end)
            given += [_digest(inputs[place], matters[place]) for place in missing]
        keyed = [blake2b(each, digest_size=8, key=self._digesting).digest() for each in given]
        return np.frombuffer(b"".join(keyed), "<u8")

    def _sketch(
        self, name: str, matters: Sequence[Any], rows: _Rows, places: npt.NDArray[np.intp]
    ) -> None:
        if name == TEXT:
            vectors = self._of_texts(matters, rows, places)
        else:
            vectors = self._of_numbers(np.array(matters), rows, places)
        if name not in self._spaces:
            if name != TEXT and vectors.shape[1] >= _FEW:
                rows.simhashes[places] = self._corners.nearest(vectors)
            return
        start, space = self._spaces[name]
        sketches = space.sketches(vectors)
        probed = space.probed(sketches)
        if name != TEXT:
            rows.simhashes[places] = self._corners.nearest(sketches)
        rows.cells[places] = start + probed[:, 0]
        rows.surprises[places] = space.surprises(space.nearness(sketches, probed))

    def _of_texts(self, texts: Sequence[str], rows: _Rows, places: npt.NDArray[np.intp]) -> Matrix:
        """Their grams, once their own features and what they are like are noted."""
        written = list(map(words, texts))
        rows.lengths[places] = [_octave(len(each)) for each in texts]
        rows.entropies[places] = entropy.of_texts(written)
        rows.scripts[places] = [min(scripts(each), 255) for each in texts]
        rows.simhashes[places] = self._shingles.bands(written)
        return self._grams.of(written)

    def _of_numbers(self, numbers: Numbers, rows: _Rows, places: npt.NDArray[np.intp]) -> Matrix:
        """As their space wants them; where there is none, off their own mean."""
        rows.lengths[places] = _octave(numbers.shape[1])
        rows.entropies[places] = entropy.of_numbers(numbers)
        if domain_name(numbers.shape[1]) not in self._spaces:
            numbers = numbers - numbers.mean(1, keepdims=True)
        return numbers.astype(np.float32)

    def _of(self, observation: Observation, rows: _Rows, part: slice) -> Features:
        return Features(
            time=observation.time,
            outcome=observation.outcome,
            digests=rows.digests[part],
            simhashes=rows.simhashes[part],
            cells=rows.cells[part],
            surprises=rows.surprises[part],
            lengths=rows.lengths[part],
            entropies=rows.entropies[part],
            scripts=rows.scripts[part],
            labels=_buckets(observation.labels, LABELS),
            margins=_buckets(observation.margins, MARGINS),
            norms=_buckets(observation.norms, NORMS),
            knobs=observation.knobs % (1 << KNOBS),
            model=_model(observation.model, self._naming),
            queries=observation.queries,
        )


def _rows(digests: npt.NDArray[np.uint64]) -> _Rows:
    """Of inputs of which nothing but the digest is known: none is like another."""
    count = len(digests)
    return _Rows(
        digests,
        digests.copy(),
        np.full(count, -1, np.int16),
        np.zeros(count, np.float32),
        np.zeros(count, np.uint8),
        np.zeros(count, np.uint8),
        np.zeros(count, np.uint8),
    )


def _by_domain(matters: Sequence[str | Numbers | None]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, matter in enumerate(matters):
        if matter is not None:
            name = domain_name(None if isinstance(matter, str) else len(matter))
            places.setdefault(name, []).append(place)
    return places


def _digest(value: Any, matter: str | Numbers | None) -> bytes:
    """Of an input that has none yet; of what it is about where it has no canonical form."""
    try:
        return digest(value)
    except (ExtprocError, TypeError, ValueError):
        if isinstance(matter, str):
            return sha256(matter.encode("utf-8", "replace")).digest()
        return sha256(b"" if matter is None else matter.tobytes()).digest()


@lru_cache(maxsize=1024)
def _model(name: str, key: bytes) -> int:
    if not name:
        return MODELS - 1
    keyed = blake2b(name.encode("utf-8", "replace"), digest_size=8, key=key)
    return int.from_bytes(keyed.digest(), "little") % (MODELS - 1)


def _octave(count: int) -> int:
    return max(count.bit_length() - 1, 0)


def _buckets(values: Sequence[int], most: int) -> npt.NDArray[np.uint8]:
    return np.frombuffer(bytes([value % most for value in values]), np.uint8) if values else _NONE
