"""A report as one HTML file: no script, nothing fetched, read by day, by night and on paper.

Rule: the browser is told so (Content Security Policy, Level 3): were anything of the policy taken
for markup, it could load and run nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from extproc.inventory import wording
from extproc.inventory.markup import Element, element
from extproc.inventory.report import Inventory, Rating, Reason, Surface, Told, Varies
from extproc.inventory.style import STYLE

_NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
_NAMES: Final = frozenset({"policy", "models", "tier", "dialect"})
Cells = tuple[Element, ...]


def render(inventory: Inventory) -> str:
    title = f"Exposure of {wording.plain(inventory.policy)}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_NOTHING_ELSE),
        element("title", title),
        element("style", STYLE),
    )
    body = element("body", *_body(inventory))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}"


def _body(inventory: Inventory) -> Iterator[Element]:
    yield _header(inventory)
    yield element("main", *_main(inventory))
    footer = "By extproc inventory: what the policy says and what follows from it; no secret of it."
    yield element("footer", footer)


def _header(inventory: Inventory) -> Element:
    name = element("code", wording.plain(inventory.policy))
    return element(
        "header",
        element("p", "extproc inventory", class_="eyebrow"),
        element("h1", "What ", name, " exposes"),
        element(
            "p",
            _badge(inventory.rating),
            element("span", _counted(inventory.surfaces)),
            element("span", wording.whose(inventory)),
            element("span", "version ", element("code", inventory.version)),
            class_="verdict",
        ),
        element("p", f"Assumed: {wording.assumed(inventory.assumed)}.", class_="legend"),
        element("p", wording.LEGEND, class_="legend"),
    )


def _counted(surfaces: Iterable[Surface]) -> str:
    """``2 high, 5 low``."""
    ratings = [surface.rating for surface in surfaces]
    counts = [(each, ratings.count(each)) for each in sorted({*ratings}, reverse=True)]
    of = ", ".join(f"{count} {rating.word}" for rating, count in counts)
    return f"{len(ratings)} surfaces: {of}" if of else "no surfaces"


def _main(inventory: Inventory) -> Iterator[Element]:
    yield element("h2", "Summary")
    yield _summary(inventory.surfaces)
    yield element("h2", "The whole file")
    yield _reasons(inventory.reasons, "Whichever route is asked")
    yield element("h2", "Route by route")
    for index, surface in enumerate(inventory.surfaces, 1):
        yield _article(index, surface)


def _summary(surfaces: Iterable[Surface]) -> Element:
    heads = ("rating", "route", "policy and models", "because", "tenants", "bits an answer")
    rows = [_summary_row(index, surface) for index, surface in enumerate(surfaces, 1)]
    return _table("Worst first", (*heads, "bits a day, per caller"), rows, numbers=3)


def _summary_row(index: int, surface: Surface) -> Cells:
    link = element("a", element("code", wording.plain(surface.route)), href=f"#s{index}")
    return (
        element("td", _badge(surface.rating)),
        element("th", link, scope="row", class_="route"),
        element("td", f"{wording.plain(surface.policy)}: ", _code(wording.models(surface))),
        element("td", wording.first(surface), class_="because"),
        _number(f"{surface.access.tenants:,}"),
        _number(wording.number(surface.bits_query)),
        _number(wording.number(surface.bits_day)),
    )


def _article(index: int, surface: Surface) -> Element:
    named = f"t{index}"
    facts = [
        element("div", element("dt", name), element("dd", _code(told) if name in _NAMES else told))
        for name, told in wording.facts(surface)
    ]
    title = element("h3", _code(surface.route), id=named)
    return element(
        "article",
        element("div", title, _badge(surface.rating), class_="title"),
        element("dl", *facts, class_="facts"),
        *([_kinds(surface.told)] if surface.told else []),
        _reasons(surface.reasons, "Why"),
        _varying(surface.varies),
        id=f"s{index}",
        aria_labelledby=named,
    )


def _kinds(told: Iterable[Told]) -> Element:
    rows = [
        (
            element("th", each.kind, scope="row"),
            element("td", _code(wording.chain(each))),
            _number(wording.answered(each)),
        )
        for each in told
    ]
    return _table("What passes", ("kind", "behind", "bits of an answer"), rows, numbers=1)


def _varying(varies: Iterable[Varies]) -> Element:
    rows = [
        (element("th", each.channel, scope="row"), element("td", wording.plain(each.how)))
        for each in varies
    ]
    return _table("What varies", ("channel", "how"), rows)


def _reasons(reasons: Iterable[Reason], caption: str) -> Element:
    rows = [
        (
            element("td", _badge(each.rating)),
            element("td", wording.plain(each.what)),
            element("td", _remedy(each.remedy)),
        )
        for each in reasons
    ]
    return _table(caption, ("rating", "because", "remedy"), rows)


def _table(
    caption: str, heads: tuple[str, ...], rows: Iterable[Cells], numbers: int = 0
) -> Element:
    """``numbers``: how many columns, from the right, hold numbers."""
    first = len(heads) - numbers
    head = [
        element("th", name, scope="col", **({"class_": "number"} if at >= first else {}))
        for at, name in enumerate(heads)
    ]
    body = [element("tr", *cells) for cells in rows]
    nothing = element("tr", element("td", "Nothing was found.", colspan=f"{len(heads)}"))
    table = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *(body or [nothing])),
    )
    # Whoever has no mouse must be able to scroll it too (WCAG 2.1.1).
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _remedy(text: str) -> Element:
    """A setting stands out; a sentence does not."""
    return _code(text) if wording.is_setting(text) else element("span", wording.plain(text))


def _badge(rating: Rating) -> Element:
    return element("span", rating.word, class_=f"badge {rating.word}")


def _number(text: str) -> Element:
    return element("td", text, class_="number")


def _code(text: str) -> Element:
    return element("code", wording.plain(text))
