from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.config.document import Document
from extproc.config.source import read
from extproc.rehearsal.policy_text import origins, policy_text
from tests.config.example import changed
from tests.config.overlaying import bound
from tests.rehearsal.example import example

words = st.text("ab:#-*&!%@`{}[],? '\"\\/|>0123.x", max_size=8) | st.sampled_from(
    ["true", "null", "~", "1", "0x1", "a: b", "- a", "env:X", "key:aa", "/v1/x", "yes", "é"]
)
data: st.SearchStrategy[Any] = st.dictionaries(
    words,
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.just(0.5) | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


@given(data)
def test_what_is_printed_says_the_same_when_it_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    document = Document(Path("p.yaml"), data, {(): 1})
    path = tmp_path_factory.getbasetemp() / "printed.yaml"
    path.write_text(policy_text(document), encoding="utf-8")
    assert read(path).data == data


def test_every_line_says_where_it_stands(tmp_path: Path) -> None:
    config = example(tmp_path)
    lines = policy_text(config.document).splitlines()
    assert lines[0].startswith("version: 1 ")
    assert lines[0].endswith(f"# {tmp_path}/policy.yaml:2")
    assert all(f"# {tmp_path}/policy.yaml:" in line for line in lines)
    assert ("policies", "partner", "allow", "tools") in dict(origins(config.document))


def test_what_a_base_file_says_is_told_and_what_it_set_aside(tmp_path: Path) -> None:
    text = changed(
        ("  partner:\n", "  partner:\n    mode: shadow\n    exceptions: [{fidelity: full}]\n")
    )
    base = "overrides: {policies: {'*': {mode: enforce, fidelity: standard}}}"
    printed = policy_text(bound(tmp_path, base, text).document)
    base_line, own = f"{tmp_path}/base.yaml:2", f"{tmp_path}/policy.yaml"
    assert f"# {base_line} override, instead of {own}:19" in printed
    assert (
        f"# set aside: policies.partner.exceptions[0].fidelity, {own}:20, by {base_line} override"
        in printed.splitlines()
    )
