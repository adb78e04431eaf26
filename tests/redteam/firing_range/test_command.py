"""Commands that are run to their end."""

from pathlib import Path

import pytest

from extproc.redteam.firing_range.command import command
from extproc.redteam.firing_range.process import ProcessDied


async def test_what_a_command_says_is_told_where_it_fails(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with pytest.raises(ProcessDied, match=r"extproc keys failed:\n.*key"):
        await command("keys", "vault", str(tmp_path / "key"))
