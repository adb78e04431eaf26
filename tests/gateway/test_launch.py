import os
import subprocess
import sys

from extproc.gateway import launch


def _run(parent: int, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", launch.__file__, str(parent), *command],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_becomes_the_program() -> None:
    done = _run(os.getpid(), sys.executable, "-c", "import sys; print(sys.argv)", "a b", "")

    assert done.returncode == 0
    assert done.stdout == "['-c', 'a b', '']\n"


def test_a_program_whose_parent_is_gone_already_is_not_begun() -> None:
    done = _run(1, sys.executable, "-c", "print('running')")

    assert done.returncode == 1
    assert done.stdout == ""


def test_the_program_is_to_get_a_signal_when_its_parent_dies() -> None:
    asking = (
        "import ctypes; got = ctypes.c_int();"
        "ctypes.CDLL(None).prctl(2, ctypes.byref(got)); print(got.value)"
    )

    assert _run(os.getpid(), sys.executable, "-c", asking).stdout == "9\n"
