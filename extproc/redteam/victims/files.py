"""Small real files of two dozen kinds, made in memory by what writes such files.

Rule: a file's kind is known because it was written as one; its words come from the Python language
reference, its other contents from the generator that is given, so that no two are alike.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import marshal
import pickle
import sqlite3
import struct
import tarfile
import wave
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from importlib.util import MAGIC_NUMBER
from typing import Final

import numpy as np

from extproc.redteam.victims.source_files import SOURCES, Words


def _csv(words: Words) -> bytes:
    text = io.StringIO()
    written = csv.writer(text)
    written.writerow(words.some(5))
    for row in range(words.count(10, 60)):
        written.writerow([row, words.count(0, 999), round(words.rng.normal(), 3), *words.some(2)])
    return text.getvalue().encode()


def _json(words: Words) -> bytes:
    keys = words.some(4)
    rows = [
        {keys[0]: words.line(), keys[1]: words.count(0, 9_999), keys[2]: words.some(3)}
        for _ in range(words.count(5, 30))
    ]
    return json.dumps({keys[3]: rows}, indent=words.count(0, 4)).encode()


def _zip(words: Words) -> bytes:
    with closing(io.BytesIO()) as buffer:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in words.some(words.count(1, 6)):
                # Named so that it is not dated by the clock.
                archive.writestr(zipfile.ZipInfo(f"{name}.txt"), words.text(), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


def _tar(words: Words) -> bytes:
    with closing(io.BytesIO()) as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name in words.some(words.count(1, 4)):
                content = words.text().encode()
                member = tarfile.TarInfo(f"{name}.txt")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


def _png(words: Words) -> bytes:
    wide, high = words.count(8, 64), words.count(8, 64)
    pixels = words.rng.integers(0, 256, (high, wide), np.uint8)
    lines = b"".join(b"\0" + bytes(line) for line in pixels)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _bmp(words: Words) -> bytes:
    wide, high = 4 * words.count(4, 16), words.count(8, 48)
    pixels = words.rng.integers(0, 256, wide * high * 3, np.uint8).tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, wide, high, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels


def _wav(words: Words) -> bytes:
    with closing(io.BytesIO()) as buffer:
        with wave.open(buffer, "wb") as sound:
            sound.setparams((1, 2, int(words.rng.choice([8_000, 22_050, 44_100])), 0, "NONE", ""))
            times = np.arange(words.count(1_000, 4_000))
            tone = 9_000 * np.sin(times * words.rng.uniform(0.01, 0.5))
            sound.writeframes(tone.astype("<i2").tobytes())
        return buffer.getvalue()


def _pickle(words: Words) -> bytes:
    value = {name: [words.line(), words.count(0, 99)] for name in words.some(words.count(5, 40))}
    return pickle.dumps(value, protocol=words.count(2, 5))


def _sqlite(words: Words) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, name TEXT, amount REAL)")
        rows = [(words.line(), words.rng.normal()) for _ in range(words.count(5, 80))]
        database.executemany("INSERT INTO entries (name, amount) VALUES (?, ?)", rows)
        database.commit()
        return database.serialize()


def _npy(words: Words) -> bytes:
    with closing(io.BytesIO()) as buffer:
        np.save(buffer, words.rng.normal(size=(words.count(5, 60), words.count(1, 20))))
        return buffer.getvalue()


def _bytecode(words: Words) -> bytes:
    source = SOURCES["python"](words)
    code = marshal.dumps(compile(source, "module.py", "exec"))
    return MAGIC_NUMBER + struct.pack("<III", 0, words.count(10**8, 10**9), len(source)) + code


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[Words], bytes]:
    return lambda words: pack("".join(words.text() for _ in range(words.count(2, 8))).encode())


KINDS: Final[Mapping[str, Callable[[Words], bytes]]] = {
    **SOURCES,
    "csv": _csv,
    "json": _json,
    "zip": _zip,
    "tar": _tar,
    "png": _png,
    "bmp": _bmp,
    "wav": _wav,
    "pickle": _pickle,
    "sqlite": _sqlite,
    "npy": _npy,
    "pythonbytecode": _bytecode,
    "gzip": _packed(lambda content: gzip.compress(content, mtime=0)),
    "bzip": _packed(bz2.compress),
    "xz": _packed(lzma.compress),
    "zlibstream": _packed(zlib.compress),
}
"""By the name that Magika gives to the kind."""


def files(count: int, rng: np.random.Generator) -> tuple[Sequence[str], Sequence[bytes]]:
    """Kind and content of ``count`` files, the kinds in turn."""
    words = Words(rng)
    names = [list(KINDS)[place % len(KINDS)] for place in range(count)]
    return names, [KINDS[name](words) for name in names]
