"""The report as one HTML file that needs nothing else.

Rule: no script, no address of anything outside, and a policy in the page that forbids both; all
text is escaped by the template engine, and plots were made here.
"""

import re
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from extproc.redteam.report.document import Bullets, Figure, Page, Paragraph, Table
from extproc.redteam.report.drawing import INK, writable

_PAGE: Final = "page.html.jinja"
_NAMESPACES: Final = re.compile(r' xmlns(:xlink)?="[^"]*"')
_SIZE: Final = re.compile(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"')


def render(page: Page) -> str:
    """The same page gives the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["table"] = lambda block: isinstance(block, Table)
    environment.tests["figure"] = lambda block: isinstance(block, Figure)
    environment.tests["bullets"] = lambda block: isinstance(block, Bullets)
    environment.tests["paragraph"] = lambda block: isinstance(block, Paragraph)
    environment.filters["inline"] = _inline
    return writable(environment.get_template(_PAGE).render(page=page)) + "\n"


def _inline(svg: str) -> Markup:
    """In a page, an SVG takes the page's ink and needs no namespaces."""
    text = _NAMESPACES.sub("", svg).replace(INK, "currentColor")
    text = _SIZE.sub(_sized, text, count=1)
    return Markup(text)  # noqa: S704 -- drawn by this package, from text that it has escaped


def _sized(match: re.Match[str]) -> str:
    """In pixels, so that it can shrink to what is there."""
    return f'<svg width="{float(match[1]) * 4 / 3:.0f}" height="{float(match[2]) * 4 / 3:.0f}"'
