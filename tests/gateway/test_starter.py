import stat
from pathlib import Path

import pytest

from extproc.config import compile_table, load
from extproc.credentials.api_key import principal
from extproc.gateway.starter import write_starter


def test_the_policy_is_one_that_serves_and_knows_its_key(tmp_path: Path) -> None:
    starter = write_starter(tmp_path)

    config = load(starter.policy)
    table = compile_table(config)

    known = principal({"authorization": f"Bearer {starter.key}"}, table.key)
    assert known is not None
    assert table.tenants[known] == "local"
    assert config.listen == str(starter.listen) == f"unix://{tmp_path}/extproc.sock"
    names = {route.name for route in table.routes}
    assert {"POST /v1/chat/completions", "POST /v1/embeddings", "GET /health"} <= names


def test_the_files_are_for_this_user_alone_and_hold_no_key(tmp_path: Path) -> None:
    starter = write_starter(tmp_path)

    files = list(tmp_path.iterdir())
    assert {file.name for file in files} == {"hmac", "policy.yaml"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not any(starter.key in file.read_text(encoding="utf-8") for file in files)


def test_every_policy_has_a_secret_and_a_key_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    one, other = write_starter(tmp_path / "a"), write_starter(tmp_path / "b")

    assert one.key != other.key
    assert one.policy.with_name("hmac").read_bytes() != other.policy.with_name("hmac").read_bytes()


def test_no_file_is_written_over(tmp_path: Path) -> None:
    write_starter(tmp_path)

    with pytest.raises(FileExistsError):
        write_starter(tmp_path)
