import subprocess
import sys

PROGRAM = """
import sys
sys.modules[sys.argv[1]] = None
from extproc.demo.server.__main__ import main
main()
"""


def _without(module: str) -> str:
    """What the program says when a module cannot be imported."""
    command = [sys.executable, "-c", PROGRAM, module]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


def test_a_missing_library_ends_the_process_with_the_remedy() -> None:
    remedy = "the demo's model server needs uvicorn: pip install 'extproc[demo]'\n"
    assert _without("uvicorn") == remedy


def test_a_missing_part_of_the_server_itself_is_a_bug_and_looks_like_one() -> None:
    assert "Traceback" in _without("extproc.demo.server.app")
