"""A vault is opened with its key, and what does not open is counted."""

import pytest
from msgspec import Raw, structs

from extproc.config.vault_key import new_pair
from extproc.errors import ConfigError
from extproc.ownership.vault_file import open_vault, read_key, shown
from tests.ownership.making import Made


def test_entries_are_opened_by_their_commitments(made: Made) -> None:
    made.some(2, 1)
    made.write()
    found = open_vault([made.vault], read_key(made.folder / "vault.pem"))
    assert list(found.entries.values()) == made.entries
    assert found.unopened == 0


def test_torn_and_changed_lines_are_counted(made: Made) -> None:
    made.some(3, 0)
    made.sealed[1] = made.sealed[1].replace(b'"commitment":"', b'"commitment":"f')
    made.sealed.append(b'{"commitment":"torn')
    made.write()
    found = open_vault([made.vault], read_key(made.folder / "vault.pem"))
    assert [entry.cell for entry in found.entries.values()] == ["0", "2"]
    assert found.unopened == 2


def test_what_nobody_can_read_is_counted_and_stops_nobody(made: Made) -> None:
    """A disk that fails, or an accuser who would rather have his vault not read."""
    made.some(2, 0)
    for octets in (b"[" * 5000 + b"]" * 5000, b"1e999"):
        made.sealed += shown([structs.replace(made.entries[0], input=Raw(octets))])
    made.sealed += [b'{"entry":"\xff"}\n', b'{"commitment":"\xff","sealed":""}\n']
    made.write()
    found = open_vault([made.vault], read_key(made.folder / "vault.pem"))
    assert [entry.cell for entry in found.entries.values()] == ["0", "1"]
    assert found.unopened == 4


def test_what_is_shown_needs_no_key_and_proves_itself(made: Made) -> None:
    """Planted: entries that are written anew in another way would be of other commitments."""
    made.some(2, 1)
    made.write()
    sealed = open_vault([made.vault], read_key(made.folder / "vault.pem"))
    lines = [*shown(made.entries)]
    lines[1] = lines[1].replace(b"control", b"mark").replace(b'\\"truth\\":', b'\\"truth\\":9')
    made.vault.write_bytes(b"".join(lines))
    found = open_vault([made.vault], None)
    kept = {*sealed.entries} & {*found.entries}
    assert len(kept) == 2
    assert all(found.entries[each] == sealed.entries[each] for each in kept)
    made.vault.write_bytes(b"".join(made.sealed))
    with pytest.raises(ConfigError, match="nothing in the vault opens"):
        open_vault([made.vault], None)


def test_another_key_opens_nothing(made: Made) -> None:
    made.some(1, 0)
    made.write()
    (made.folder / "vault.pem").write_bytes(new_pair()[0])
    with pytest.raises(ConfigError, match="nothing in the vault opens"):
        open_vault([made.vault], read_key(made.folder / "vault.pem"))


@pytest.mark.parametrize(("name", "said"), [("nowhere", "No such file"), ("audit.pem", "X25519")])
def test_a_key_that_is_none_is_said(made: Made, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_key(made.folder / name)


def test_a_vault_that_is_not_there_is_said(made: Made) -> None:
    with pytest.raises(ConfigError, match="name the vault's files"):
        open_vault([made.folder / "nowhere"], read_key(made.folder / "vault.pem"))
