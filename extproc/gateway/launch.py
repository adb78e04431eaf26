"""Becomes a program that dies with the process that started it.

Run as a script, by its path: ``launch.py PARENT_PID PROGRAM ARGUMENT...``.  A child that is to die
with its parent has to ask for it between fork and exec, where Python code of a threaded parent is
not safe to run; so it is asked for here, in a process of its own that then becomes the program.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal this process gets when its parent dies.  Survives exec."""


def launch(parent: int, command: list[str]) -> None:
    """Never returns: runs the command, or exits because the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it was asked for
        os._exit(1)
    os.execvp(command[0], command)  # noqa: S606 - becoming that program is the purpose


if __name__ == "__main__":
    launch(int(sys.argv[1]), sys.argv[2:])
