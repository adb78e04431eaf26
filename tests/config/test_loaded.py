"""All is read of one state of the files, and known by it."""

import os
from pathlib import Path

import pytest

from extproc.config import DetectionPlan, compile_table, load, load_all
from extproc.config import loaded as loading
from extproc.config.files import Files
from extproc.detectors.calibration import open_sealed
from extproc.errors import ConfigError
from tests.config import everything, example, scale
from tests.config.sealed import sealed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return everything.write(tmp_path)


def test_every_file_that_is_read_is_followed(path: Path) -> None:
    files = Files()
    load_all(path, files=files)
    assert {found.name for found in files.paths} == {*everything.CHANGES, "audit.pem"}
    assert files.same()


@pytest.mark.parametrize("name", everything.CHANGES)
def test_another_content_of_any_file_is_seen_and_is_another_policy(path: Path, name: str) -> None:
    files = Files()
    before = load_all(path, files=files)
    everything.CHANGES[name](path.parent)
    assert not files.same()
    assert load_all(path).table.version != before.table.version


def test_the_same_content_is_the_same_policy_wherever_it_stands(
    path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    for file in path.parent.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    moved = load_all(other / "policy.yaml")
    assert load_all(path).table.version == moved.table.version


def test_who_signs_the_log_and_what_comments_say_is_no_part_of_a_policy(path: Path) -> None:
    before = load_all(path).table.version
    path.write_text(everything.TEXT + "# as agreed\n")
    assert load_all(path).table.version == before


def test_what_could_not_be_read_is_followed_too(path: Path) -> None:
    (path.parent / "client").unlink()
    files = Files()
    with pytest.raises(ConfigError, match=r"policy\.yaml:9: credentials\.opaque\.client_secret"):
        load_all(path, files=files)
    assert path.parent / "client" in files.paths
    assert files.same()
    everything.write(path.parent)
    assert not files.same()


# The folder is swapped while it is read.


class Swapped:
    """Two folders of a policy and its secret, and the link that kubelet swaps between them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "policy.yaml"
        self._folder = folder
        for name, key in (("old", "0"), ("new", "1")):
            there = folder / f"..{name}"
            there.mkdir()
            text = example.changed(('"env:HMAC"', '"file:hmac"'), ("trial", f"trial-{name}"))
            (there / "policy.yaml").write_text(
                text.replace("policy: trial", f"policy: trial-{name}")
            )
            (there / "hmac").write_text(key * 32)
        (folder / "..data").symlink_to("..old")
        for name in ("policy.yaml", "hmac"):
            (folder / name).symlink_to(f"..data/{name}")

    def swap(self, name: str = "new") -> None:
        (self._folder / "..data_tmp").symlink_to(f"..{name}")
        (self._folder / "..data_tmp").rename(self._folder / "..data")


@pytest.fixture
def swapped(tmp_path: Path) -> Swapped:
    return Swapped(tmp_path)


def test_a_folder_that_is_swapped_while_it_is_read_is_read_again(
    swapped: Swapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    swaps = iter(["new"])

    def midway(*given: object) -> object:
        for name in swaps:  # between the policy and its secret, once
            swapped.swap(name)
        return compile_table(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "compile_table", midway)
    found = load_all(swapped.path)
    assert "trial-new" in found.config.settings.policies
    assert found.table.key == b"1" * 32
    monkeypatch.undo()
    assert found.table.version == load_all(swapped.path).table.version


def test_so_is_one_that_was_wrong_only_half_swapped(
    swapped: Swapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    (swapped.path.parent / "..new" / "hmac").write_text("short")
    swaps = iter(["new", "old"])

    def midway(*given: object) -> object:
        swapped.swap(next(swaps, "old"))
        return compile_table(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "compile_table", midway)
    assert "trial-old" in load_all(swapped.path).config.settings.policies


def test_files_that_never_hold_still_are_given_up(
    swapped: Swapped, monkeypatch: pytest.MonkeyPatch
) -> None:

    def midway(*given: object) -> object:
        made = compile_table(*given)  # type: ignore[arg-type]
        (swapped.path.parent / "hmac").write_text(os.urandom(16).hex())
        return made

    monkeypatch.setattr(loading, "compile_table", midway)
    with pytest.raises(ConfigError, match=r"policy\.yaml: its files change while they are read"):
        load_all(swapped.path)


# What is kept of it.


def test_a_light_one_serves_the_same_and_keeps_no_text(tmp_path: Path) -> None:
    scale.write_keys(tmp_path, 1, 1)
    config = load(scale.write_policy(tmp_path, 300))
    table = compile_table(config, scale.ENVIRON)
    calibration = open_sealed(sealed("0" * 32), b"0" * 32)
    plan = DetectionPlan(tmp_path, calibration, b"d", 1.0, by_principal=False, profiles=1)
    light = loading.Loaded(config, table, None, plan).lightened()
    assert light.detection is not None
    assert light.detection.calibration is None
    assert light.table is table
    assert len(table.policies) == 300 * scale.ROUTES
    assert table.policies["tenant-00299", "POST /v1/embeddings"].models == ("*",)
    assert light.config.listen == config.listen
    assert [*config.document.lines, *config.settings.tenants] == []
    fault = light.config.document.fault(("listen",), "wrong", "remedy")
    assert str(fault) == f"{tmp_path}/policy.yaml:1: listen: wrong; remedy"
    assert light.lightened().table is table


def test_a_base_file_is_followed_and_makes_another_policy(path: Path, tmp_path: Path) -> None:
    base, files = tmp_path / "base.yaml", Files()
    base.write_text("version: 1\noverrides: {drain: 1s}\n")
    before = load_all(path, base, files)
    assert base in files.paths
    assert files.same()
    base.write_text("version: 1\noverrides: {drain: 2s}\n")
    assert not files.same()
    after = load_all(path, base)
    assert (before.config.drain, after.config.drain, after.config.base) == (1, 2, base)
    assert after.table.version != before.table.version
