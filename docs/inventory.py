"""Write docs/examples/inventory.{html,md}, the report of docs/examples/inventory.yaml.

``python docs/inventory.py`` writes both.  A test holds them against the code, but for the version,
which tells one set of settings and secrets from another.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from extproc.config import compile_table, load  # noqa: E402
from extproc.inventory import as_html, as_markdown  # noqa: E402
from extproc.inventory.report import Assumed  # noqa: E402
from extproc.inventory.survey import survey  # noqa: E402

EXAMPLES = ROOT / "docs" / "examples"
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
