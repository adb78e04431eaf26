"""Small files of text that people write: sources, markup, settings."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import numpy as np

from extproc.redteam.victims.texts import reference


class Words:
    """Words, names and sentences, chosen by a generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def count(self, least: int, most: int) -> int:
        return int(self.rng.integers(least, most + 1))

    def some(self, count: int) -> list[str]:
        """Distinct words of letters."""
        known = _vocabulary()
        return [known[at] for at in self.rng.choice(len(known), count, replace=False)]

    def one(self) -> str:
        return self.some(1)[0]

    def line(self) -> str:
        return _sentences()[self.count(0, len(_sentences()) - 1)]

    def text(self) -> str:
        """Paragraphs of some sentences."""
        paragraphs = (
            "\n".join(self.line() for _ in range(self.count(2, 5))) for _ in range(self.count(3, 8))
        )
        return "\n\n".join(paragraphs) + "\n"

    def repeated(self, part: Callable[[], str], least: int = 4, most: int = 14) -> str:
        return "".join(part() for _ in range(self.count(least, most)))


@cache
def _sentences() -> tuple[str, ...]:
    return tuple(text.words for text in reference())


@cache
def _vocabulary() -> tuple[str, ...]:
    words = {word for line in _sentences() for word in line.lower().split()}
    return tuple(sorted(word for word in words if word.isascii() and word.isalpha()))


def _python(words: Words) -> bytes:
    def function() -> str:
        name, first, second = (f"{word}_" for word in words.some(3))
        return (
            f"\n\ndef {name}({first}, {second}=None):\n"
            f'    """The {words.one()} of a {words.one()}."""\n    # {words.line()}\n'
            f"    if {second} is None:\n        {second} = [{words.count(0, 99)}]\n"
            f"    for each in {first}:\n        {second}.append(each)\n    return {second}\n"
        )

    return f'"""The {words.one()}."""\n\nimport os\nimport sys\n{words.repeated(function)}'.encode()


def _c(words: Words) -> bytes:
    def function() -> str:
        name, first = words.some(2)
        return (
            f"\n/* {words.line()} */\nstatic int {name}_of(const char *{first}_, size_t n)\n{{\n"
            f"    size_t i;\n    for (i = 0; i < n; i++)\n        if ({first}_[i] == '\\0')\n"
            f"            return -{words.count(1, 9)};\n    return (int)n;\n}}\n"
        )

    return f"#include <stdio.h>\n#include <stdlib.h>\n{words.repeated(function)}".encode()


def _javascript(words: Words) -> bytes:
    def function() -> str:
        name, first = words.some(2)
        return (
            f"\n// {words.line()}\nfunction {name}_({first}_) {{\n"
            f"  const found = {first}_.filter((each) => each.length > {words.count(1, 9)});\n"
            f'  console.log("{words.one()}", found);\n  return found.map((x) => x + 1);\n}}\n'
        )

    return f'"use strict";\nconst fs = require("fs");\n{words.repeated(function)}'.encode()


def _html(words: Words) -> bytes:
    def part() -> str:
        return (
            f'<div class="{words.one()}"><h2>{words.one()}</h2>\n<p>{words.line()}</p>\n'
            f'<a href="/{words.one()}.html">{words.one()}</a></div>\n'
        )

    head = f'<head><meta charset="utf-8"><title>{words.line()}</title></head>'
    body = words.repeated(part)
    return f"<!DOCTYPE html>\n<html>\n{head}\n<body>\n{body}</body>\n</html>\n".encode()


def _xml(words: Words) -> bytes:
    outer, inner, field = words.some(3)

    def part() -> str:
        return (
            f'  <{inner} id="{words.count(0, 999)}">\n    <{field}>{words.line()}</{field}>\n'
            f"  </{inner}>\n"
        )

    body = words.repeated(part)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{outer}>\n{body}</{outer}>\n'.encode()


def _ini(words: Words) -> bytes:
    def section() -> str:
        values = "".join(f"{word} = {words.count(0, 999)}\n" for word in words.some(4))
        return f"[{words.one()}]\n; {words.line()}\n{values}\n"

    return words.repeated(section).encode()


def _yaml(words: Words) -> bytes:
    def part() -> str:
        listed = "".join(f"    - {word}\n" for word in words.some(3))
        named = f"  name: {words.one()}\n  count: {words.count(0, 99)}\n"
        return f"{words.one()}_:\n{named}  of:\n{listed}"

    return f"# {words.line()}\n---\n{words.repeated(part)}".encode()


def _markdown(words: Words) -> bytes:
    def part() -> str:
        listed = "".join(f"- **{word}**: {words.line()}\n" for word in words.some(3))
        return f"## {words.one()}\n\n{words.line()} See [{words.one()}](#x).\n\n{listed}\n"

    return f"# {words.line()}\n\n{words.repeated(part)}```sh\nmake\n```\n".encode()


def _shell(words: Words) -> bytes:
    def part() -> str:
        name = words.one()
        return (
            f'\n# {words.line()}\nif [ -f "${{{name}_}}" ]; then\n    echo "{words.one()}"\n'
            f'    grep -q {words.one()} "${name}_" || exit {words.count(1, 9)}\nfi\n'
        )

    return f"#!/bin/bash\nset -euo pipefail\n{words.repeated(part)}".encode()


def _css(words: Words) -> bytes:
    def rule() -> str:
        return (
            f".{words.one()} > #{words.one()} {{\n  color: #{words.count(0, 0xFFFFFF):06x};\n"
            f"  margin: {words.count(0, 40)}px auto;\n  display: flex;\n}}\n\n"
        )

    return words.repeated(rule, 6, 20).encode()


def _sql(words: Words) -> bytes:
    table = words.one()

    def row() -> str:
        values = f"({words.count(0, 999)}, '{words.one()}', NULL)"
        return f"INSERT INTO {table}_ VALUES {values};\n"  # noqa: S608 -- nobody runs it

    columns = "id INTEGER PRIMARY KEY,\n  name VARCHAR(40) NOT NULL,\n  note TEXT"
    return f"CREATE TABLE {table}_ (\n  {columns}\n);\n\n{words.repeated(row, 8, 30)}".encode()


def _text(words: Words) -> bytes:
    return words.text().encode()


SOURCES: Final[Mapping[str, Callable[[Words], bytes]]] = {
    "python": _python,
    "c": _c,
    "javascript": _javascript,
    "html": _html,
    "xml": _xml,
    "ini": _ini,
    "yaml": _yaml,
    "markdown": _markdown,
    "shell": _shell,
    "css": _css,
    "sql": _sql,
    "txt": _text,
}
"""By the name that Magika gives to the kind."""
