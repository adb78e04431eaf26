"""The documents show what a gate and an allow-list do today."""

from pathlib import Path

import pytest

from tests.dialects.examples import answer, gate

ROOT = Path(__file__).parents[2]
SHOWN = {"gate": gate, "answer": answer}


@pytest.mark.parametrize("name", SHOWN)
def test_what_the_document_shows_is_what_the_code_gives(name: str) -> None:
    document = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
    block = document.split(f"<!-- output: .venv/bin/python -m tests.dialects.examples {name} -->")[
        1
    ]
    text = block.split("```text\n")[1].split("\n```\n")[0]
    assert text == "\n".join(SHOWN[name]())


def test_a_request_is_changed_or_refused() -> None:
    words = {line.split()[0] for line in gate() if line.startswith("  ")}
    assert words == {"asked", "goes", "changed", "refused"}
    assert "\n".join(gate()).startswith("\n".join(gate(3)))


@pytest.mark.parametrize("place", ["system_fingerprint", "reasoning", "token_ids[]"])
def test_an_answer_loses_what_neither_tier_grants(place: str) -> None:
    (line,) = [line for line in answer() if line.split()[0].endswith(place)]
    *_, one, other = line.split()
    assert (one, other) == ("-", "-")
