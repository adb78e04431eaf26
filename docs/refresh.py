"""Put the real output of commands into the documents.

A block to fill stands behind a comment such as ``<!-- output: extproc --help -->``.  The demo is
started once: ``<!-- demo: welcome -->`` takes what it says when it is up, ``<!-- demo: curl 1 -->``
the answer to the first line it offers for trying.  Run by ``make docs``.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"<!-- (?P<kind>output|demo): (?P<what>.+?) -->\n\n```(?P<lang>\w+)\n.*?```\n", re.S)
WIDTH = 200


def main() -> None:
    """Refill every block of every document."""
    with demo() as welcome:
        for document in DOCUMENTS:
            text = document.read_text()
            filled = BLOCK.sub(lambda block: _filled(block, welcome), text)
            if filled != text:
                document.write_text(filled)
                print(f"refreshed {document.relative_to(ROOT)}", file=sys.stderr)


def _filled(block: re.Match[str], welcome: list[str]) -> str:
    output = (
        _output(block["what"]) if block["kind"] == "output" else _demo_output(block["what"], welcome)
    )
    head = f"<!-- {block['kind']}: {block['what']} -->\n\n```{block['lang']}\n"
    return f"{head}{_fitted(output)}\n```\n"


@cache
def _output(command: str) -> str:
    """Both outputs of a command run in the project's folder, whatever its exit code."""
    ended = subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False  # noqa: S602
    )
    return (ended.stdout + ended.stderr).rstrip()


def _demo_output(what: str, welcome: list[str]) -> str:
    if what == "welcome":
        return "\n".join(welcome)
    curls = [line.strip() for line in welcome if line.strip().startswith("curl ")]
    return _output(curls[int(what.removeprefix("curl ")) - 1])


def _fitted(output: str) -> str:
    """Long lines end in an ellipsis; a reader sees the shape, not every digit."""
    lines = (line.rstrip() for line in output.splitlines())
    return "\n".join(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines)


@contextmanager
def demo() -> Iterator[list[str]]:
    """Run ``extproc demo`` for the length of the block; gives the lines it opens with."""
    command = [sys.executable, "-m", "extproc", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        welcome = []
        for line in running.stdout:
            welcome.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                break
        try:
            yield welcome
        finally:
            running.send_signal(signal.SIGINT)
            running.stdout.read()


if __name__ == "__main__":
    main()
