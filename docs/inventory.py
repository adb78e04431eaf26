"""Write docs/examples/inventory.{html,md}, the report of docs/examples/inventory.yaml.

``python -m docs.inventory`` writes both.  A test holds them against the code, but for the version,
which tells one set of settings and secrets from another.
"""

from datetime import UTC, datetime
from pathlib import Path

from extproc.config import compile_table, load
from extproc.inventory import as_html, as_markdown
from extproc.inventory.report import Assumed
from extproc.inventory.survey import survey

EXAMPLES = Path(__file__).parent / "examples"
ENVIRON = {"EXTPROC_HMAC": "0123456789abcdef0123456789abcdef"}


def main() -> None:
    for name, text in written().items():
        (EXAMPLES / name).write_text(text)


def written() -> dict[str, str]:
    """By name of the file."""
    config = load(EXAMPLES / "inventory.yaml")
    found = survey(config, compile_table(config, ENVIRON), Assumed(), datetime.now(UTC))
    return {
        "inventory.html": f"{as_html.render(found)}\n",
        "inventory.md": f"{as_markdown.render(found)}\n",
    }


if __name__ == "__main__":
    main()
