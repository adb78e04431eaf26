"""A report for a terminal: a line for each surface, and then why."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from extproc.inventory import wording
from extproc.inventory.report import Inventory, Rating, Reason

_WIDTH = 200
"""Of what is not printed on a terminal."""
_STYLES = {
    Rating.LOW: "green",
    Rating.MODERATE: "yellow",
    Rating.HIGH: "red",
    Rating.CRITICAL: "bold red",
}


def show(inventory: Inventory, console: Console | None = None) -> None:
    console = console or Console()
    if not console.is_terminal:
        console.width = _WIDTH
    name = wording.plain(inventory.policy)
    console.print(Text(f"{name}: {inventory.rating.word}, {wording.whose(inventory)}"))
    console.print(Text(f"assumed: {wording.assumed(inventory.assumed)}"), end="\n\n")
    console.print(_summary(inventory))
    console.print()
    console.print(_reasons(inventory))
    if any(surface.training for surface in inventory.surfaces):
        console.print()
        console.print(_training(inventory))


def _summary(inventory: Inventory) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("#", "rating", "policy", "route", "models", "passes"):
        table.add_column(name, overflow="fold")
    for name in ("tenants", "bits an answer", "bits a request", "bits a day"):
        table.add_column(name, justify="right")
    for index, surface in enumerate(inventory.surfaces, 1):
        table.add_row(
            f"{index}",
            _rating(surface.rating),
            Text(wording.plain(surface.policy)),
            Text(wording.plain(surface.route)),
            Text(wording.models(surface)),
            Text(wording.listed(told.kind for told in surface.told)),
            f"{surface.access.tenants:,}",
            wording.number(surface.bits_query),
            wording.number(surface.bits_request),
            wording.number(surface.bits_day),
        )
    return table


def _reasons(inventory: Inventory) -> Table:
    """Each once, with the surfaces it holds for; of the whole file without any."""
    holding: dict[Reason, list[str]] = {}
    for index, surface in enumerate(inventory.surfaces, 1):
        for reason in surface.reasons:
            holding.setdefault(reason, []).append(f"{index}")
    for reason in inventory.reasons:
        holding.setdefault(reason, []).append("all")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("rating", "of", "because", "remedy"):
        table.add_column(name, overflow="fold")
    for reason in sorted(holding, key=lambda reason: -reason.rating):
        cells = (", ".join(holding[reason]), reason.what, reason.remedy)
        table.add_row(_rating(reason.rating), *map(Text, map(wording.plain, cells)))
    return table


def _training(inventory: Inventory) -> Table:
    """What is declared of it, each once, with the surfaces it holds for."""
    holding: dict[str, list[str]] = {}
    for index, surface in enumerate(inventory.surfaces, 1):
        for each in surface.training:
            holding.setdefault(wording.training([each]), []).append(f"{index}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("of", "training privacy"):
        table.add_column(name, overflow="fold")
    for told, surfaces in holding.items():
        table.add_row(", ".join(surfaces), Text(told))
    return table


def _rating(rating: Rating) -> Text:
    return Text(rating.word, style=_STYLES[rating])
