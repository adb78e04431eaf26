"""A report as Markdown (GitHub's: CommonMark with tables).

Rule: what a policy says stands in code spans, in which nothing is markup: their fence is longer
than any that is in them (CommonMark, section 6.1), and a bar is escaped, as tables ask for it.  A
bar behind a backslash cannot be: then every character that could be markup is an entity.
"""

import re
from collections.abc import Iterable, Iterator

from extproc.inventory import wording
from extproc.inventory.report import Inventory, Reason, Surface

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&#])")
_FENCE = re.compile("`+")


def render(inventory: Inventory) -> str:
    return "\n".join(_lines(inventory))


def _lines(inventory: Inventory) -> Iterator[str]:
    yield f"# Exposure of {code(inventory.policy)}: {inventory.rating.word}\n"
    yield (
        f"{escaped(wording.whose(inventory))}; version {code(inventory.version)}; "
        f"assumed: {wording.assumed(inventory.assumed)}.\n"
    )
    yield f"{escaped(wording.LEGEND)}\n"
    yield _summary(inventory.surfaces)
    yield "## The whole file\n"
    yield _reasons(inventory.reasons)
    for index, surface in enumerate(inventory.surfaces, 1):
        yield from _surface(index, surface)


def _summary(surfaces: Iterable[Surface]) -> str:
    heads = ("#", "rating", "policy", "route", "models", "tenants")
    bits = ("bits an answer", "a request", "a day, per caller", "because")
    rows = [
        (
            f"{index}",
            _rating(surface.rating.word),
            code(surface.policy),
            code(surface.route),
            code(wording.models(surface)),
            f"{surface.access.tenants:,}",
            wording.number(surface.bits_query),
            wording.number(surface.bits_request),
            wording.number(surface.bits_day),
            escaped(wording.first(surface)),
        )
        for index, surface in enumerate(surfaces, 1)
    ]
    return _table((*heads, *bits), rows)


def _surface(index: int, surface: Surface) -> Iterator[str]:
    yield f"## {index}. {code(surface.route)}: {surface.rating.word}\n"
    yield _table(
        ("what", "is"), [(name, _fact(name, told)) for name, told in wording.facts(surface)]
    )
    if surface.told:
        heads = ("passes", "behind", "bits of an answer")
        passing = [
            (f"{told.kind}", code(wording.chain(told)), wording.answered(told))
            for told in surface.told
        ]
        yield _table(heads, passing)
    varying = [(each.channel, escaped(each.how)) for each in surface.varies]
    yield _table(("varies", "how"), varying)
    yield _reasons(surface.reasons)


def _fact(name: str, told: str) -> str:
    return code(told) if name in {"policy", "models", "tier"} else escaped(told)


def _reasons(reasons: Iterable[Reason]) -> str:
    rows = [
        (_rating(each.rating.word), escaped(each.what), _remedy(each.remedy)) for each in reasons
    ]
    return _table(("rating", "because", "remedy"), rows) if rows else "Nothing was found.\n"


def _remedy(text: str) -> str:
    return code(text) if wording.is_setting(text) else escaped(text)


def _rating(word: str) -> str:
    return f"**{word}**" if word in {"high", "critical"} else word


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in lines), ""])


def code(text: str) -> str:
    """A code span, also within a table."""
    shown = wording.plain(text)
    if r"\|" in shown:
        return f"<code>{_MARKUP.sub(lambda found: f'&#{ord(found[1])};', shown)}</code>"
    inner = shown.replace("|", r"\|")
    fence = "`" * (1 + max(map(len, _FENCE.findall(inner)), default=0))
    around = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{fence}{around}{inner}{around}{fence}"


def escaped(text: str) -> str:
    """Text in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", wording.plain(text))
