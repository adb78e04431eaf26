import gzip
import io
import json
import pickle
import sqlite3
import tarfile
import wave
import zipfile
from contextlib import closing

import numpy as np
from PIL import Image

from extproc.redteam.victims.files import KINDS, files
from extproc.redteam.victims.source_files import Words


def _made(kind: str) -> bytes:
    return KINDS[kind](Words(np.random.default_rng(7)))


def test_kinds_are_made_in_turn_and_the_same_from_the_same_seed() -> None:
    names, contents = files(2 * len(KINDS), np.random.default_rng(0))
    assert list(names) == 2 * list(KINDS)
    assert len(set(contents)) == len(contents)
    assert contents == files(2 * len(KINDS), np.random.default_rng(0))[1]


def test_a_zip_archive_does_not_tell_when_it_was_made() -> None:
    with zipfile.ZipFile(io.BytesIO(_made("zip"))) as archive:
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_what_reads_such_files_reads_them() -> None:
    assert json.loads(_made("json"))
    assert isinstance(pickle.loads(_made("pickle")), dict)
    assert zipfile.ZipFile(io.BytesIO(_made("zip"))).testzip() is None
    with tarfile.open(fileobj=io.BytesIO(_made("tar"))) as archive:
        assert archive.getnames()
    with wave.open(io.BytesIO(_made("wav"))) as sound:
        assert sound.getnframes() >= 1_000
    assert gzip.decompress(_made("gzip")).decode()
    assert np.load(io.BytesIO(_made("npy"))).ndim == 2
    for kind in ("png", "bmp"):
        Image.open(io.BytesIO(_made(kind))).load()


def test_the_database_holds_its_rows() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(_made("sqlite"))
        assert database.execute("SELECT count(*) FROM entries").fetchone()[0] >= 5
