"""extproc texts: whose marks stand in texts."""

import json
from pathlib import Path

import numpy as np
import pytest

from extproc.config import load
from extproc.config.text_keys import owners
from extproc.errors import ConfigError
from extproc.marks.canaries import of_model, references
from extproc.marks.green_list import green
from extproc.texts_command import FOUND, read, texts
from tests.config.example import ENVIRON
from tests.config.test_texts import CANARY, LIST, compiled
from tests.marks.wordlists import vocabulary

PLAIN = "Nobody marked this one. " * 40


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMAC", ENVIRON["HMAC"])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    compiled(tmp_path, LIST, CANARY)
    return tmp_path / "policy.yaml"


def written(policy: Path, whose: str) -> list[str]:
    """Texts by a list, that end in a canary."""
    [owner] = [each for each in owners(load(policy)) if each.whose == whose]
    weights = np.where(green(vocabulary(), owner.green_list), 8.0, 1.0)
    names = [each.word for each in vocabulary().words]
    chosen = np.random.default_rng(1).choice(names, (10, 60), p=weights / weights.sum())
    reference = references(of_model(owner.canaries, "gpt"))[0]
    return [*map(" ".join, chosen.tolist()), f"It is so. (Reference: {reference})"]


def told(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], dict[str, object]]:
    return {(row["whose"], row["mark"]): row for row in json.loads(capsys.readouterr().out)}


def test_texts_are_told_to_be_of_whoever_they_were_written_for(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = policy.parent / "said.jsonl"
    said = written(policy, "cohort pair")
    file.write_text("\n".join(map(json.dumps, [said[0], *({"text": text} for text in said[1:])])))
    assert texts([file], policy, model=["gpt", "other"], output="json") == FOUND
    rows = told(capsys)
    whose = {name for name, _ in rows}
    assert whose == {"tenant acme", "tenant beta", "cohort pair"}  # one of all is exempt
    assert {place for place, row in rows.items() if row["found"]} == {
        ("cohort pair", "green list of full"),
        ("cohort pair", "canaries of gpt"),
    }
    assert len(rows) == 9
    assert texts([file], policy, clean=[policy]) == FOUND
    table = capsys.readouterr().out.splitlines()
    assert table[1].startswith("cohort pair")
    assert sum("FOUND" in line for line in table) == 1
    assert texts([file], policy, epoch=2) == 0


def test_texts_that_nobody_marked_are_nobodys(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = policy.parent / "said.txt"
    file.write_text(PLAIN)
    assert texts([file], policy, model=["gpt"], output="json") == 0
    assert not any(row["found"] for row in told(capsys).values())
    file.write_text("")
    assert texts([file], policy, model=["gpt"]) == 0
    assert "FOUND" not in capsys.readouterr().out


def test_what_is_told_is_corrected_for_all_that_were_looked_at(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted: without it, one of a million tenants is accused of a text of nobody's."""
    file = policy.parent / "said.txt"
    file.write_text(" ".join(written(policy, "tenant beta")))
    texts([file], policy, output="json")
    least = min(told(capsys).values(), key=lambda row: float(str(row["p_log2"])))
    assert float(str(least["corrected_p_log2"])) == pytest.approx(
        float(str(least["p_log2"])) + np.log2(3), abs=0.02
    )


@pytest.mark.parametrize("content", ["{", "3", '{"said": "x"}'])
def test_what_is_no_file_of_texts_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "said.jsonl"
    with pytest.raises(ConfigError, match="cannot be read"):
        read(file)
    file.write_text(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        read(file)
