"""An ensemble on handwritten digits whose votes are answered privately, and how well that goes.

``python -m tests.privacy.teachers FOLDER`` reads whatever there is in FOLDER of the files of MNIST
(``*-images-idx3-ubyte.gz`` and ``*-labels-idx1-ubyte.gz``), asks 1,000 of its images, and prints
how many are read rightly at which epsilon.  ``--record FILE`` keeps the votes: with ``--seed 1``
tests/privacy/digits.json was made so.

What is private are all other images, with their labels: each is known to one teacher alone, so that
a record changes one vote.  What is public, and known to all: which fonts there are, from which
digits are drawn and bent here, and the features (histograms of gradients).  Of those the teachers
have a metric, and a distance to each class for those that they have never seen.
"""

import argparse
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from extproc.draw import Draw, Source
from extproc.mutators import NoisyMax
from extproc.prediction import Votes
from extproc.privacy import NANO, capacity

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

QUERIES: Final = 1000
EACH: Final = 20
"""Private images of one teacher."""
DELTA: Final = 1e-5
_CLASSES: Final = 10
_SIDE: Final = 28
_DRAWN: Final = 6000
"""Public images."""
_FAR: Final = 2.0
"""How much nearer an image of its own has to be to a teacher than a public one."""
_RIDGE: Final = 0.1
_BINS: Final = 8
_VARIANTS: Final = ((0.0, 1.0), (0.15, 1.0), (-0.15, 1.0), (0.0, 0.85), (0.0, 1.15))
"""Radians, and how much lower."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=Path)
    asked = parser.parse_args()
    images, labels = mnist(asked.folder)
    votes, truth, public = ensemble(images, labels, asked.seed)
    teachers = int(votes[0].sum())
    print(f"{len(images) - QUERIES:,} private images, {EACH} for each of {teachers:,} teachers")
    print(f"what is public alone reads      {public:6.1%} of {QUERIES:,} rightly")
    print(f"the most votes, without noise   {(votes.argmax(1) == truth).mean():6.1%}")
    for epsilon in (0.5, 1.0, 2.0, 4.0, 8.0):
        scale = noise(epsilon)
        print(f"epsilon {epsilon:3g}, noise {scale:6.1f}       {right(votes, truth, scale):6.1%}")
    if asked.record is not None:
        kept = {"teachers": teachers, "votes": votes.tolist(), "truth": truth.tolist()}
        asked.record.write_text(json.dumps(kept, separators=(",", ":")) + "\n")


def noise(epsilon: float, queries: int = QUERIES) -> float:
    """The least standard deviation with which so many answers keep a promise, to a tenth."""
    room = capacity(epsilon, DELTA) / NANO
    return float(np.ceil(np.sqrt(2 * queries / room) * 10) / 10)


def right(votes: Ints, truth: Ints, scale: float, times: int = 5) -> float:
    """The share that is read rightly, of answers to so many tenants."""
    mutator, found = NoisyMax(noise="gaussian", scale=scale), []
    for tenant in range(times):
        for number, (row, true) in enumerate(zip(votes, truth, strict=True)):
            draw = Draw(b"%d %d" % (tenant, number))
            told = mutator.apply(Votes(row), Source(draw, draw, draw))
            assert isinstance(told, Votes)
            found.append(int(told.values.argmax()) == true)
    return float(np.mean(found))


def mnist(folder: Path) -> tuple[Floats, Ints]:
    """Images [N, 28, 28] from 0 to 1, and their labels."""
    images, labels = list[Any](), list[Any]()
    for file in sorted(folder.glob("*-images-idx3-ubyte.gz")):
        named = file.with_name(file.name.replace("images-idx3", "labels-idx1"))
        images.append(_read(file, 16).reshape(-1, _SIDE, _SIDE))
        labels.append(_read(named, 8))
    return np.concatenate(images) / 255.0, np.concatenate(labels).astype(np.int64)


def _read(file: Path, head: int) -> Any:
    """LeCun, Cortes and Burges, "The MNIST database of handwritten digits": the format IDX."""
    return np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8)[head:]


def ensemble(images: Floats, labels: Ints, seed: int) -> tuple[Ints, Ints, float]:
    """The votes about QUERIES images [QUERIES, 10], what they show, and how many of them are read
    rightly without any private image.
    """
    order = np.random.default_rng(seed).permutation(len(images))
    asked, private = order[:QUERIES], order[QUERIES:]
    drawn, names = _fonts(np.random.default_rng(seed + 1))
    public = _features(drawn)
    metric = _metric(public, names)
    queries = _features(images[asked]) @ metric
    known = _to_classes(_distances(queries, public @ metric), names)
    own = _to_private(queries, images[private], metric)
    votes = _votes(own, labels[private], known)
    truth = labels[asked]
    return votes, truth, float((known.argmin(1) == truth).mean())


def _votes(own: Floats, labels: Ints, known: Floats) -> Ints:
    """Each teacher says the class of the nearest image, its own or, if far nearer, a public one."""
    votes = np.zeros(known.shape, np.int64)
    for first in range(0, own.shape[1] // EACH * EACH, EACH):
        nearest = known * _FAR
        for place in range(first, first + EACH):
            label = labels[place]
            nearest[:, label] = np.minimum(nearest[:, label], own[:, place])
        votes[np.arange(len(votes)), nearest.argmin(1)] += 1
    return votes


def _to_private(queries: Floats, images: Floats, metric: Floats) -> Floats:
    """To each image [QUERIES, N], as it is or turned or stretched a little: still one record."""
    nearest = np.full((len(queries), len(images)), np.inf)
    for turn, stretch in _VARIANTS:
        changed = np.array([_changed(image, turn, stretch) for image in images])
        nearest = np.minimum(nearest, _distances(queries, _features(changed) @ metric))
    return nearest


def _changed(image: Floats, turn: float, stretch: float) -> Floats:
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape, middle = rotation @ np.diag([stretch, 1.0]), np.full(2, (_SIDE - 1) / 2)
    offset = middle - shape @ middle
    return np.asarray(ndimage.affine_transform(image, shape, offset=offset, order=1))


def _to_classes(distances: Floats, names: Ints) -> Floats:
    """To the five nearest of each class, on average."""
    nearest = [np.sort(distances[:, names == name], 1)[:, :5].mean(1) for name in range(_CLASSES)]
    return np.stack(nearest, 1)


def _distances(one: Floats, other: Floats) -> Floats:
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return np.asarray(np.maximum(squares, 0.0))


def _metric(features: Floats, names: Ints) -> Floats:
    """In which images of one class are as far apart in every direction: within-class covariance
    normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006), with a ridge.
    """
    apart = [features[names == name] for name in range(_CLASSES)]
    apart = [each - each.mean(0) for each in apart]
    values, vectors = np.linalg.eigh(sum(each.T @ each for each in apart) / len(features))
    return np.asarray(vectors / np.sqrt(values + _RIDGE * values.max()))


def _features(images: Floats) -> Floats:
    """Histograms of gradients (Dalal and Triggs, CVPR 2005), of digits that stand upright."""
    return np.array([_gradients(_upright(image)) for image in images])


def _upright(image: Floats) -> Floats:
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    row, column = ndimage.center_of_mass(image)
    slant = (image * (rows - row) * (columns - column)).sum() / (image * (rows - row) ** 2).sum()
    shear = np.array([[1.0, 0.0], [slant, 1.0]])
    middle = np.full(2, (_SIDE - 1) / 2)
    offset = np.array([row, column]) - shear @ middle
    return np.asarray(ndimage.affine_transform(image, shear, offset=offset, order=1))


def _gradients(image: Floats) -> Floats:
    down, right_ = np.gradient(ndimage.gaussian_filter(image, 0.8))
    length, angle = np.hypot(right_, down), np.arctan2(down, right_) / (2 * np.pi) * _BINS % _BINS
    found = []
    for each in range(_BINS):
        off = np.abs(angle - each)
        weight = np.maximum(0.0, 1.0 - np.minimum(off, _BINS - off)) * length
        found.append(ndimage.gaussian_filter(weight, 2.5)[2::4, 2::4].ravel())
    whole = np.sqrt(np.maximum(0.0, np.concatenate(found)))
    return np.asarray(whole / np.linalg.norm(whole))


def _fonts(rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Digits of the fonts that matplotlib brings, each bent in its own way."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    named = ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "cmr", "cmb", "cmss", "cmti", "cmtt")
    files = [file for file in sorted(folder.glob("*.ttf")) if file.stem.startswith(named)]
    files = [file for file in files if "Display" not in file.stem]
    images, names = list[Floats](), list[int]()
    while len(images) < _DRAWN:
        name, file = int(rng.integers(_CLASSES)), files[int(rng.integers(len(files)))]
        bent = _bent(_glyph(name, file, int(rng.integers(0, 3))), rng)
        if bent.max() > 0.3:
            images.append(_framed(bent))
            names.append(name)
    return np.array(images), np.array(names)


def _glyph(name: int, font: Path, stroke: int) -> Floats:
    image = Image.new("L", (96, 96))
    face = ImageFont.truetype(str(font), 60)
    draw = ImageDraw.Draw(image)
    draw.text((48, 48), str(name), font=face, fill=255, anchor="mm", stroke_width=stroke)
    return np.asarray(image, np.float64) / 255.0


def _bent(image: Floats, rng: np.random.Generator) -> Floats:
    """Turned, slanted, stretched, bent elastically (Simard, Steinkraus and Platt, ICDAR 2003)."""
    angle, slant, width = rng.normal(0, 0.15), rng.normal(0, 0.25), rng.uniform(0.7, 1.35)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = turn @ np.array([[1.0, 0.0], [slant, 1.0]]) @ np.diag([1.0, 1.0 / width])
    smooth, strength = rng.uniform(6, 12), rng.uniform(20, 110)
    shifts = [ndimage.gaussian_filter(rng.normal(0, 1, (96, 96)), smooth) for _ in range(2)]
    places = shape @ (np.mgrid[:96, :96].reshape(2, -1) - 48.0) + 48.0
    places = places + np.array([each.ravel() * strength for each in shifts])
    return np.asarray(ndimage.map_coordinates(image, places, order=1).reshape(96, 96))


def _framed(image: Floats) -> Floats:
    """As images of MNIST are: 20 pixels high or wide, around their centre of mass."""
    rows, columns = np.nonzero(image > 0.3)
    cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    cut = ndimage.zoom(cut, 20 / max(cut.shape), order=1)[:20, :20]
    frame = np.zeros((_SIDE, _SIDE))
    top, left = ((_SIDE - size) // 2 for size in cut.shape)
    frame[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    off: Sequence[float] = np.full(2, (_SIDE - 1) / 2) - ndimage.center_of_mass(frame)
    return np.asarray(np.clip(ndimage.shift(frame, off, order=1), 0.0, 1.0))


if __name__ == "__main__":
    main()
