"""The style: by day and by night everything can be read."""

import re

import pytest

from extproc.inventory.report import Rating
from extproc.inventory.style import STYLE

LEAST = 4.5
"""Web Content Accessibility Guidelines 2.1, 1.4.3: contrast of text."""


def colors(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block))


BY_DAY = colors(STYLE.partition("@media")[0])
BY_NIGHT = {**BY_DAY, **colors(STYLE.split("@media")[1])}
ON_PAPER = {**BY_DAY, **colors(STYLE.split("@media")[2])}


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    ]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


PAIRS = [("ink", "page"), ("ink", "card"), ("soft", "page"), ("soft", "card"), ("link", "card")]
PAIRS += [(rating.word, f"{rating.word}-back") for rating in Rating]


@pytest.mark.parametrize("named", [BY_DAY, BY_NIGHT, ON_PAPER], ids=["day", "night", "paper"])
@pytest.mark.parametrize(("text", "back"), PAIRS)
def test_text_can_be_read(named: dict[str, str], text: str, back: str) -> None:
    assert contrast(named[text], named[back]) >= LEAST


def test_nothing_is_fetched() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_every_rating_has_its_look() -> None:
    assert all(f".{rating.word} {{" in STYLE for rating in Rating)
