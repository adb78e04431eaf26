"""All renderings of a run, into a directory."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from extproc.redteam.attack import Attack
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.goals import Goals
from extproc.redteam.report import as_html, as_json, as_markdown, contents, standards
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.document import Page
from extproc.redteam.report.header import Run
from extproc.redteam.report.model import gather
from extproc.redteam.report.verdicts import Verdicts, decide
from extproc.redteam.row import Row

PLOTS = "plots"


def report(
    rows: Iterable[Row],
    run: Run,
    goals: Goals,
    directory: Path,
    attacks: Mapping[str, Attack] = ATTACKS,
) -> Verdicts:
    """Write report and standards, each as HTML and Markdown, report.json, and plots/*.svg.

    ``directory`` is made where it is not there; raise OSError where it cannot be written.
    """
    model = gather(rows, run, Catalogue.of(attacks.values()))
    verdicts = decide(goals, model)
    (directory / PLOTS).mkdir(parents=True, exist_ok=True)
    for name, page in (
        ("report", contents.page(model, verdicts)),
        ("standards", standards.page(model)),
    ):
        _write(directory / f"{name}.html", as_html.render(page))
        _write(directory / f"{name}.md", as_markdown.render(page, PLOTS))
        _plots(directory / PLOTS, page)
    _write(directory / "report.json", as_json.render(model, verdicts))
    return verdicts


def _plots(directory: Path, page: Page) -> None:
    for figure in page.figures():
        _write(directory / f"{figure.name}.svg", figure.svg)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
