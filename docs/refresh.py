"""Put the real output of commands into the documents.

A block to fill stands behind a comment such as ``<!-- output: extproc --help -->``.  The demo is
started once: ``<!-- demo: welcome -->`` takes what it says when it is up, ``<!-- demo: curl 1 -->``
the answer to the first line it offers for trying.  Links to a function's line follow it.  Run by
``make docs``; ``make links`` only mends the links.
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
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "deploy").glob("*.md")),
]
BLOCK = re.compile(
    r"<!-- (?P<kind>output|demo): (?P<what>.+?) -->\n\n```(?P<lang>\w+)\n.*?```\n", re.DOTALL
)
LINK = re.compile(r"\[`(?P<name>\w+)`\]\((?P<file>[^)#\s]+\.py)(?:#L\d+)?\)")
KEY = re.compile(r"(xk-\w{12}-)[\w-]{43}")
WIDTH = {"text": 200, "json": 1200}


def main() -> None:
    """Mend the links of every document; refill its blocks too, unless only links are asked for."""
    if "--links" in sys.argv:
        for document in DOCUMENTS:
            _write(document, document.read_text())
        return
    with demo() as welcome:
        for document in DOCUMENTS:
            text = document.read_text()
            _write(document, BLOCK.sub(lambda block: _filled(block, welcome), text))


def _write(document: Path, text: str) -> None:
    linked = LINK.sub(lambda link: _linked(link, document), text)
    if linked != document.read_text():
        document.write_text(linked)
        print(f"refreshed {document.relative_to(ROOT)}", file=sys.stderr)


def _linked(link: re.Match[str], document: Path) -> str:
    """The link with the line on which its function or class is defined now."""
    lines = (document.parent / link["file"]).read_text().splitlines()
    defined = re.compile(rf"\b(def|class) {link['name']}\b")
    number = next(number for number, line in enumerate(lines, 1) if defined.search(line))
    return f"[`{link['name']}`]({link['file']}#L{number})"


def _filled(block: re.Match[str], welcome: list[str]) -> str:
    output = (
        _output(block["what"])
        if block["kind"] == "output"
        else _demo_output(block["what"], welcome)
    )
    head = f"<!-- {block['kind']}: {block['what']} -->\n\n```{block['lang']}\n"
    return f"{head}{_fitted(output, WIDTH[block['lang']])}\n```\n"


@cache
def _output(command: str) -> str:
    """Both outputs of a command run in the project's folder, whatever its exit code."""
    ended = subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return (ended.stdout + ended.stderr).rstrip()


def _demo_output(what: str, welcome: list[str]) -> str:
    if what == "welcome":
        return "\n".join(welcome)
    curls = [line.strip() for line in welcome if line.strip().startswith("curl ")]
    return _output(curls[int(what.removeprefix("curl ")) - 1])


def _fitted(output: str, width: int) -> str:
    """Long lines end in an ellipsis, and so do keys, though they are as dead as the demo."""
    lines = (KEY.sub(r"\1…", line.rstrip()) for line in output.splitlines())
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in lines)


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
