"""A policy file of tests/config/example.py under a base file, for tests of what holds then."""

from pathlib import Path
from textwrap import dedent

from extproc.config import Config, compile_table, load
from extproc.policy import PolicyTable
from tests.config.example import ENVIRON, TEXT, write


def bound(folder: Path, base: str, text: str = TEXT) -> Config:
    """The policy file's text, under what stands behind the version in a base file."""
    return load(write(folder, text), written(folder, base))


def table(folder: Path, base: str, text: str = TEXT) -> PolicyTable:
    return compile_table(bound(folder, base, text), ENVIRON)


def written(folder: Path, base: str) -> Path:
    path = folder / "base.yaml"
    path.write_text(f"version: 1\n{dedent(base)}", encoding="utf-8")
    return path
